/**
 * CAPIF core function: discovery, security context, token endpoint and revocation notifications, for strict CAPIF
 * clients and for stock OAuth clients.
 */

import { decodeJwt } from 'jose'
import * as oauth from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Network } from '../../demo-site/network/index.ts'
import { redirectUriFor } from '../../shared/core/index.ts'
import {
  createAuthorizationRequest,
  createStockClient,
  REDIRECT_BASE,
  redeemCode,
  signInAndAllow,
  startTestNetwork,
} from './support/client.ts'
import { hasFiles, missingFiles, OpenApiFiles, THREE_GPP } from './support/openapi.ts'
import { ScriptedBrowser } from './support/scripted-browser.ts'
import { openWebSocket } from './support/websocket.ts'

const SCOPE = '3gpp#aef-meridian:3gpp-as-session-with-qos'
const SECURITY = 'TS29222_CAPIF_Security_API.yaml'

let network: Network
let apiRoot: string
let redirectUri: string
let schemas: OpenApiFiles | undefined

beforeAll(async () => {
  network = await startTestNetwork()
  apiRoot = `${network.issuer}/capif`
  redirectUri = await redirectUriFor(REDIRECT_BASE, apiRoot)
  if (hasFiles(THREE_GPP)) schemas = new OpenApiFiles(THREE_GPP)
})
afterAll(() => network.close())

function expectConforming(file: string, schema: string, value: unknown): void {
  if (schemas) expect(schemas.validate(file, schema, value)).toEqual([])
}

interface Invoker {
  apiInvokerId: string
  onboardingInformation: { onboardingSecret: string }
}

async function onboardInvoker(): Promise<Invoker> {
  const request = {
    onboardingInformation: { apiInvokerPublicKey: '-----BEGIN PUBLIC KEY-----' },
    notificationDestination: 'https://unused.invalid/callback',
    apiInvokerInformation: 'Skyframe',
  }
  const file = 'TS29222_CAPIF_API_Invoker_Management_API.yaml'
  expectConforming(file, 'APIInvokerEnrolmentDetails', request)
  const answer = await fetch(`${apiRoot}/api-invoker-management/v1/onboardedInvokers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
  expect(answer.status).toBe(201)
  expect(answer.headers.get('location')).toContain(`${apiRoot}/api-invoker-management/v1/`)
  const invoker = (await answer.json()) as Invoker
  expectConforming(file, 'APIInvokerEnrolmentDetails', invoker)
  return invoker
}

function createBasicCredentials({ apiInvokerId, onboardingInformation }: Invoker): string {
  const pair = `${apiInvokerId}:${onboardingInformation.onboardingSecret}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

async function putContext(invoker: Invoker, security: object): Promise<Response> {
  return fetch(`${apiRoot}/capif-security/v1/trustedInvokers/${invoker.apiInvokerId}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: createBasicCredentials(invoker) },
    body: JSON.stringify(security),
  })
}

const CONTEXT = {
  securityInfo: [
    { aefId: 'aef-meridian', apiId: 'api-as-session-with-qos', prefSecurityMethods: ['OAUTH'] },
  ],
  notificationDestination: 'https://unused.invalid/callback',
  websockNotifConfig: { requestWebsocketUri: true },
  supportedFeatures: '2',
}

/** Obtains an authorization code for an invoker, and its code verifier. */
async function obtainCode(clientId: string) {
  const codeVerifier = oauth.randomPKCECodeVerifier()
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: SCOPE,
    state: oauth.randomState(),
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  })
  const page = await signInAndAllow(
    new ScriptedBrowser(),
    new URL(`${apiRoot}/auth?${parameters.toString()}`),
  )
  return { codeVerifier, code: page.url.searchParams.get('code') ?? '' }
}

function requestToken(securityId: string, form: Record<string, string>): Promise<Response> {
  return fetch(`${apiRoot}/capif-security/v1/securities/${securityId}/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
}

describe('the messages of the CAPIF core', () => {
  it('are judged by the OpenAPI files of TS 29.222', ({ skip }) => {
    if (!schemas) return skip(missingFiles(THREE_GPP))
    expect(schemas.validate(SECURITY, 'ServiceSecurity', {})).not.toEqual([])
  })
})

describe('discovery (TS 29.222 clauses 5.3, 8.1 and 8.11)', () => {
  it('lists the APIs with PKCE for an invoker, by grant type names of V19 and of V18', async () => {
    const { apiInvokerId } = await onboardInvoker()
    for (const grant of ['AUTHORIZATION_CODE_WITH_PKCE', 'AUTHORIZATION_CODE_FLOW_WITH_PKCE']) {
      const query = new URLSearchParams({
        'api-invoker-id': apiInvokerId,
        'grant-types': JSON.stringify([grant]),
      })
      const answer = await fetch(`${apiRoot}/service-apis/v1/allServiceAPIs?${query}`)
      const description = (await answer.json()) as { serviceAPIDescriptions: { apiName: string }[] }
      expectConforming('TS29222_CAPIF_Discover_Service_API.yaml', 'DiscoveredAPIs', description)
      expect(description.serviceAPIDescriptions.map(({ apiName }) => apiName)).toEqual([
        '3gpp-as-session-with-qos',
        '3gpp-monitoring-event',
      ])
    }
  })

  it('lists nothing for the code grant without PKCE', async () => {
    const { apiInvokerId } = await onboardInvoker()
    const query = new URLSearchParams({
      'api-invoker-id': apiInvokerId,
      'grant-types': JSON.stringify(['AUTHORIZATION_CODE']),
    })
    const answer = await fetch(`${apiRoot}/service-apis/v1/allServiceAPIs?${query}`)
    expect(await answer.json()).toEqual({})
  })

  it('requires the identifier of the invoker, and answers with ProblemDetails', async () => {
    const nobody = await fetch(`${apiRoot}/service-apis/v1/allServiceAPIs`)
    expect(nobody.status).toBe(400)
    expect(nobody.headers.get('content-type')).toBe('application/problem+json')
    expectConforming('TS29122_CommonData.yaml', 'ProblemDetails', await nobody.json())
  })

  it('lists APIs without security methods and interfaces to everyone (open discovery, Rel-19)', async () => {
    const answer = await fetch(`${apiRoot}/open-api-disc/v1/service-apis`)
    const description = await answer.json()
    expectConforming(
      'TS29222_CAPIF_Open_Discover_Service_API.yaml',
      'OpenDiscoveryResp',
      description,
    )
    expect(JSON.stringify(description)).not.toMatch(
      /securityMethods|grantTypes|interfaceDescriptions/,
    )
  })
})

describe('the security context (TS 29.222 clause 8.5.2.3)', () => {
  it('selects OAuth with PKCE and opens a WebSocket channel', async () => {
    const invoker = await onboardInvoker()
    expectConforming(SECURITY, 'ServiceSecurity', CONTEXT)
    const answer = await putContext(invoker, CONTEXT)
    expect(answer.status).toBe(201)
    const agreed = await answer.json()
    expectConforming(SECURITY, 'ServiceSecurity', agreed)
    expect(agreed).toMatchObject({
      securityInfo: [{ selSecurityMethod: 'OAUTH', grantType: ['AUTHORIZATION_CODE_WITH_PKCE'] }],
      websockNotifConfig: { websocketUri: expect.stringMatching(/^ws:/) },
      supportedFeatures: '2',
    })
  })

  it('answers with the names of V18.4 to a request that uses them', async () => {
    const [information] = CONTEXT.securityInfo
    const answer = await putContext(await onboardInvoker(), {
      ...CONTEXT,
      securityInfo: [{ ...information, authorizationFlow: ['AUTHORIZATION_CODE_FLOW_WITH_PKCE'] }],
    })
    expect(await answer.json()).toMatchObject({
      securityInfo: [{ authorizationFlow: ['AUTHORIZATION_CODE_FLOW_WITH_PKCE'] }],
    })
  })

  it('rejects an invoker without its secret, and a security method other than OAuth', async () => {
    const invoker = await onboardInvoker()
    const secret = { onboardingInformation: { onboardingSecret: 'wrong' } }
    expect((await putContext({ ...invoker, ...secret }, CONTEXT)).status).toBe(401)
    const psk = [{ aefId: 'aef-meridian', prefSecurityMethods: ['PSK'] }]
    const rejected = await putContext(invoker, { ...CONTEXT, securityInfo: psk })
    expect(rejected.status).toBe(400)
    expectConforming('TS29122_CommonData.yaml', 'ProblemDetails', await rejected.json())
  })
})

describe('the token endpoint (TS 29.222 clause 8.5.2.5)', () => {
  it('serves a strict client: only authCode, only the fields of Rel-19 beside the verifier', async () => {
    const invoker = await onboardInvoker()
    const { apiInvokerId } = invoker
    await putContext(invoker, CONTEXT)
    const { code, codeVerifier } = await obtainCode(apiInvokerId)
    const request = {
      grant_type: 'authorization_code',
      client_id: apiInvokerId,
      client_secret: invoker.onboardingInformation.onboardingSecret,
      authCode: code,
      redirect_uri: redirectUri,
      scope: SCOPE,
    }
    expectConforming(SECURITY, 'AccessTokenReq', request)
    const answer = await requestToken(apiInvokerId, { ...request, code_verifier: codeVerifier })
    const body = (await answer.json()) as { access_token: string }
    expect(answer.status).toBe(200)
    expectConforming(SECURITY, 'AccessTokenRsp', body)
    expect(body).not.toHaveProperty('refresh_token')
    const claims = decodeJwt(body.access_token)
    expectConforming(SECURITY, 'AccessTokenClaims', claims)
    expect(claims).toMatchObject({
      iss: apiInvokerId,
      client_id: apiInvokerId,
      scope: SCOPE,
      resOwnerId: { gpsi: 'msisdn-447700900101' },
    })
    const call = await fetch(
      `${network.apisOrigin}/3gpp-as-session-with-qos/v1/skyframe/subscriptions`,
      { headers: { authorization: `Bearer ${body.access_token}` } },
    )
    expect(call.status).toBe(200)
  })

  it('serves a stock OAuth client without CAPIF support', async () => {
    const client = await createStockClient(apiRoot, 'skyframe', oauth.None(), 'oidc')
    const pending = await createAuthorizationRequest(client, { scope: SCOPE })
    const page = await signInAndAllow(new ScriptedBrowser(), pending.url)
    const tokens = await redeemCode(client, pending, page.url)
    expect(decodeJwt(tokens.access_token)).toMatchObject({ iss: 'skyframe', scope: SCOPE })
    expect(tokens.refresh_token).toBeUndefined()
  })

  it('accepts resOwnerId as JSON and as gpsi, and rejects another resource owner', async () => {
    for (const [name, value, status] of [
      ['resOwnerId', JSON.stringify({ gpsi: 'msisdn-447700900101' }), 200],
      ['gpsi', 'msisdn-447700900101', 200],
      ['resOwnerId', JSON.stringify({ gpsi: 'msisdn-447700900102' }), 400],
      ['resOwnerId', 'not JSON', 400],
    ] as const) {
      const { code, codeVerifier } = await obtainCode('skyframe')
      const answer = await requestToken('skyframe', {
        grant_type: 'authorization_code',
        client_id: 'skyframe',
        code,
        authCode: code,
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
        [name]: value,
      })
      expect(answer.status).toBe(status)
    }
  })

  it('answers errors in the formats of the specification', async () => {
    const invoker = await onboardInvoker()
    const { apiInvokerId } = invoker
    const form = { grant_type: 'authorization_code', client_id: apiInvokerId, authCode: 'x' }

    const noContext = await requestToken(apiInvokerId, form)
    expect(noContext.status).toBe(404)
    expect(noContext.headers.get('content-type')).toBe('application/problem+json')
    expectConforming('TS29122_CommonData.yaml', 'ProblemDetails', await noContext.json())

    await putContext(invoker, CONTEXT)
    const { code } = await obtainCode(apiInvokerId)
    const common = { ...form, redirect_uri: redirectUri, authCode: code }
    for (const [what, status, error, securityId = apiInvokerId] of [
      [{ ...common, grant_type: 'client_credentials' }, 400, 'unsupported_grant_type'],
      [{ ...common, client_id: 'nobody' }, 400, 'invalid_client'],
      [common, 400, 'invalid_client', 'nobody'],
      [{ ...common, client_secret: 'wrong' }, 401, 'invalid_client'],
      [{ ...common, code: 'another' }, 400, 'invalid_request'],
      [{ ...common, code_verifier: oauth.randomPKCECodeVerifier() }, 400, 'invalid_grant'],
    ] as [Record<string, string>, number, string, string?][]) {
      const answer = await requestToken(securityId, what)
      const body = (await answer.json()) as { error: string }
      expect([answer.status, body.error]).toEqual([status, error])
      expectConforming(SECURITY, 'AccessTokenErr', body)
    }
    const unknown = await requestToken(apiInvokerId, { ...common, grant_type: 'magic' })
    expect(unknown.headers.get('content-type')).toBe('application/problem+json')
  })

  it('rejects scopes with the messages of deployed CAPIF cores', async () => {
    const client = await createStockClient(apiRoot, 'skyframe', oauth.None(), 'oidc')
    for (const [scope, words] of [
      ['as-session', "The first characters must be '3gpp'"],
      ['3gpp#aef-meridian', 'malformed scope'],
      ['3gpp#aef-other:3gpp-as-session-with-qos', 'aef_id'],
      ['3gpp#aef-meridian:3gpp-nothing', 'api names'],
    ] as const) {
      const { url } = await createAuthorizationRequest(client, { scope })
      const page = await new ScriptedBrowser().open(url)
      expect(page.url.searchParams.get('error')).toBe('invalid_scope')
      expect(page.url.searchParams.get('error_description')).toContain(words)
    }
  })
})

describe('revocation toward the invoker (TS 29.222 clause 8.5.3)', () => {
  it('sends SecurityNotification with its cause over the WebSocket within a second', async () => {
    const invoker = await onboardInvoker()
    const agreed = (await (await putContext(invoker, CONTEXT)).json()) as {
      websockNotifConfig: { websocketUri: string }
    }
    const channel = await openWebSocket(agreed.websockNotifConfig.websocketUri)
    const { code, codeVerifier } = await obtainCode(invoker.apiInvokerId)
    const answer = await requestToken(invoker.apiInvokerId, {
      grant_type: 'authorization_code',
      client_id: invoker.apiInvokerId,
      redirect_uri: redirectUri,
      authCode: code,
      code_verifier: codeVerifier,
    })
    const { access_token } = (await answer.json()) as { access_token: string }
    const url = `${network.apisOrigin}/3gpp-as-session-with-qos/v1/a/subscriptions`
    const headers = { authorization: `Bearer ${access_token}` }
    expect((await fetch(url, { headers })).status).toBe(200)

    const startedAtMs = performance.now()
    await network.revoke(apiRoot, 'mira', invoker.apiInvokerId, 'OVERLIMIT_USAGE')
    expect((await fetch(url, { headers })).status).toBe(401)
    const { atMs, message } = await channel.next()
    expectConforming(SECURITY, 'SecurityNotification', message)
    expect(message).toMatchObject({
      apiInvokerId: invoker.apiInvokerId,
      aefId: 'aef-meridian',
      cause: 'OVERLIMIT_USAGE',
      accessToken: access_token,
    })
    expect(atMs - startedAtMs).toBeLessThan(1000)
    channel.close()
  })
})
