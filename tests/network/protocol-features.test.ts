/**
 * Optional protocol features of the authorization function: DPoP, pushed requests, private_key_jwt, refresh tokens of
 * CAMARA, Client ID Metadata Documents and pairwise subjects.
 */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as oauth from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Network } from '../../demo-site/network/index.ts'
import { createDpopKey, createDpopProof, type TokenSet } from '../../shared/core/index.ts'
import {
  createAuthorizationRequest,
  createStockClient,
  obtainToken,
  redeemCode,
  signInAndAllow,
  startTestNetwork,
} from './support/client.ts'
import { ScriptedBrowser } from './support/scripted-browser.ts'
import { createPerson } from './support/sign-in.ts'
import {
  callApi,
  createApiAccess,
  EFFECTS,
  obtainTokens,
  onboardUe,
  type Ue,
} from './support/ue.ts'

const SCOPE = '3gpp-as-session-with-qos'
let network: Network
let resource: string

beforeAll(async () => {
  network = await startTestNetwork()
  resource = `${network.apisOrigin}/3gpp-as-session-with-qos/v1`
})
afterAll(() => network.close())

describe('DPoP (RFC 9449)', () => {
  let ue: Ue
  let tokens: TokenSet
  const getUrl = () => `${resource}/a/subscriptions`

  beforeAll(async () => {
    ue = await onboardUe(network, 'oauth', 'preregistered', '')
    const person = await createPerson('password', network)
    tokens = await obtainTokens(
      ue,
      createApiAccess(ue, 'Session with quality of service'),
      (target) => person.authorize(target),
    )
  })

  function sendRequest(headers: Record<string, string>): Promise<Response> {
    return fetch(getUrl(), { headers })
  }

  async function createProof(changes: object = {}, key = ue.dpop): Promise<string> {
    const first = await callApi(ue, tokens, 'GET', getUrl())
    expect(first.status).toBe(200)
    return createDpopProof(
      { key, url: getUrl(), method: 'GET', accessToken: tokens.accessToken, ...changes },
      EFFECTS,
    )
  }

  it('binds the token to the key of the UE, and each server requires its own nonces', async () => {
    expect(tokens.tokenType).toBe('DPoP')
    expect(decodeJwt(tokens.accessToken).cnf).toMatchObject({ jkt: expect.any(String) })
    const requests = network.log.filter({ path: '/request', method: 'POST' })
    expect(requests.map(({ status }) => status)).toEqual([400, 201])
    expect(requests[0]?.answerHeaders?.['dpop-nonce']).toBeTypeOf('string')
  })

  it('rejects the token as a bearer token, and without a nonce', async () => {
    const bearer = await sendRequest({ authorization: `Bearer ${tokens.accessToken}` })
    expect(bearer.status).toBe(401)
    const fresh = { ...ue.dpop, nonces: new Map<string, string>() }
    const bare = await createDpopProof(
      { key: fresh, url: getUrl(), method: 'GET', accessToken: tokens.accessToken },
      EFFECTS,
    )
    const answer = await sendRequest({ authorization: `DPoP ${tokens.accessToken}`, dpop: bare })
    expect(answer.headers.get('www-authenticate')).toContain('error="use_dpop_nonce"')
    expect(answer.headers.get('dpop-nonce')).toBeTruthy()
  })

  it('rejects a replayed proof, and a proof for another method, URL, token or key', async () => {
    const authorization = `DPoP ${tokens.accessToken}`
    const good = await createProof()
    expect((await sendRequest({ authorization, dpop: good })).status).toBe(200)
    const otherKey = { ...(await createDpopKey()), nonces: ue.dpop.nonces }
    for (const dpop of [
      good,
      await createProof({ method: 'POST' }),
      await createProof({ url: `${resource}/b/subscriptions` }),
      await createProof({ accessToken: 'another' }),
      await createProof({}, otherKey),
      'no proof',
    ]) {
      const answer = await sendRequest({ authorization, dpop })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP .*invalid_dpop_proof/)
    }
  })

  it('requires camara:bh with the hash of the body (CAMARA)', async () => {
    const camara = await onboardUe(network, 'camara', 'dynamic', '')
    const person = await createPerson('password', network)
    const access = createApiAccess(camara, 'Quality on demand')
    const granted = await obtainTokens(camara, access, (target) => person.authorize(target))
    expect(
      (await callApi(camara, granted, 'POST', `${access.resource}/retrieve-sessions`, {})).status,
    ).toBe(200)
    const { camara_dpop_claims_required: _claims, ...metadata } = camara.metadata
    const without = { ...camara, metadata }
    const answer = await callApi(
      without,
      granted,
      'POST',
      `${access.resource}/retrieve-sessions`,
      {},
    )
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('camara:bh')
  })
})

describe('pushed authorization requests (RFC 9126)', () => {
  it('are valid once, and leave only client_id and request_uri in the URL', async () => {
    const client = await createStockClient(network.issuer)
    const codeVerifier = oauth.randomPKCECodeVerifier()
    const url = await oauth.buildAuthorizationUrlWithPAR(client.configuration, {
      redirect_uri: client.redirectUri,
      scope: SCOPE,
      resource,
      state: 'x',
      code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    })
    expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri'])
    const browser = new ScriptedBrowser()
    const page = await signInAndAllow(browser, url)
    expect(page.url.searchParams.get('code')).toBeTruthy()
    const secondResult = await browser.open(url)
    expect(secondResult.url.searchParams.get('code')).toBeNull()
  })
})

describe('client authentication by private_key_jwt (RFC 7523, CAMARA)', () => {
  async function registerTestClient() {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' }
    const camara = `${network.issuer}/camara`
    const { redirectUri } = await createStockClient(camara)
    const answer = await fetch(`${camara}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [jwk] },
      }),
    })
    expect(answer.status).toBe(201)
    const { client_id: clientId } = (await answer.json()) as { client_id: string }
    return { camara, clientId, privateKey }
  }

  function signAssertion(clientId: string, audience: string, seconds: number, key: CryptoKey) {
    return new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(audience)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${seconds}s`)
      .sign(key)
  }

  it('accepts an assertion once, signed by the registered key, with a lifetime of 300 seconds at most', async () => {
    const { camara, clientId, privateKey } = await registerTestClient()
    const otherKeys = await generateKeyPair('ES256')
    const endpoint = `${camara}/token/revocation`
    const sendAssertion = async (client_assertion: string | undefined) => {
      const form = new URLSearchParams({ token: 'unknown', client_id: clientId })
      if (client_assertion !== undefined) {
        form.set('client_assertion', client_assertion)
        form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      }
      return (await fetch(endpoint, { method: 'POST', body: form })).status
    }
    const good = await signAssertion(clientId, endpoint, 60, privateKey)
    expect(await sendAssertion(good)).toBe(200)
    expect(await sendAssertion(good)).toBe(401)
    expect(await sendAssertion(await signAssertion(clientId, endpoint, 301, privateKey))).toBe(401)
    expect(
      await sendAssertion(await signAssertion(clientId, endpoint, 60, otherKeys.privateKey)),
    ).toBe(401)
    expect(
      await sendAssertion(await signAssertion(clientId, 'https://a.example', 60, privateKey)),
    ).toBe(401)
    expect(await sendAssertion(undefined)).toBe(401)
  })
})

describe('refresh tokens of the camara profile', () => {
  async function obtainTokensFor(scope: string) {
    const client = await createStockClient(`${network.issuer}/camara`)
    const pending = await createAuthorizationRequest(client, { scope, nonce: 'n' })
    const page = await signInAndAllow(new ScriptedBrowser(), pending.url)
    return oauth.authorizationCodeGrant(client.configuration, page.url, {
      pkceCodeVerifier: pending.codeVerifier,
      expectedState: pending.state,
      expectedNonce: 'n',
    })
  }

  const scope = 'openid dpv:RequestedServiceProvision quality-on-demand:sessions:read'

  it('are issued for offline_access only, and an ID token for openid', async () => {
    const without = await obtainTokensFor(scope)
    expect(without.refresh_token).toBeUndefined()
    expect(without.id_token).toBeTypeOf('string')
    expect((await obtainTokensFor(`${scope} offline_access`)).refresh_token).toBeTypeOf('string')
  })

  it('are rejected with two purposes or none', async () => {
    const client = await createStockClient(`${network.issuer}/camara`)
    for (const wrong of ['openid quality-on-demand:sessions:read', `${scope} dpv:Marketing`]) {
      const { url } = await createAuthorizationRequest(client, { scope: wrong })
      const page = await new ScriptedBrowser().open(url)
      expect(page.url.searchParams.get('error')).toBe('invalid_scope')
    }
  })

  it('show the purpose on the consent screen', async () => {
    const client = await createStockClient(`${network.issuer}/camara`)
    const { url } = await createAuthorizationRequest(client, {
      scope: 'openid dpv:FraudPreventionAndDetection location-verification:verify',
    })
    network.accessNetwork.attach('127.0.0.12', 'amal')
    const page = await new ScriptedBrowser({ address: '127.0.0.12' }).open(url)
    expect(page.document.querySelector('[data-purpose]')?.text).toBe('To prevent and detect fraud')
  })
})

describe('Client ID Metadata Documents', () => {
  let server: Server
  let origin: string
  let document: object = {}

  beforeAll(async () => {
    server = createServer((request, answer) => {
      if (request.url === '/moved.json') return answer.writeHead(302, { location: '/a.json' }).end()
      answer.writeHead(200, { 'content-type': 'application/json' })
      return answer.end(JSON.stringify({ ...document }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => server.close())

  it('are rejected when they name another client, contain a secret, or are not on loopback', async () => {
    const { redirectUri } = await createStockClient(network.issuer)
    const good = { client_name: 'A', redirect_uris: [redirectUri], response_types: ['code'] }
    const openWithDocument = async (path: string, changes: object) => {
      document = { ...good, client_id: `${origin}${path}`, ...changes }
      const client = { ...(await createStockClient(network.issuer, `${origin}${path}`)) }
      const { url } = await createAuthorizationRequest(client, { scope: SCOPE, resource })
      return (await new ScriptedBrowser().open(url)).screen
    }
    expect(await openWithDocument('/a.json', {})).toBe('sign-in')
    expect(await openWithDocument('/b.json', { client_id: 'https://a.example/' })).toBe('error')
    expect(await openWithDocument('/c.json', { client_secret: 's' })).toBe('error')
    expect(await openWithDocument('/d.json', { redirect_uris: ['https://a.example/'] })).toBe(
      'error',
    )
    expect(await openWithDocument('/moved.json', {})).toBe('error')
  })
})

describe('pairwise subjects (OpenID Connect Core section 8.1)', () => {
  it('differ between applications, and are constant for one application', async () => {
    const two = await startTestNetwork({
      applications: ['skyframe', 'other'].map((clientId) => ({
        clientId,
        name: clientId,
        origins: ['http://127.0.0.1:1'],
      })),
    })
    try {
      const subjects = []
      for (const clientId of ['skyframe', 'skyframe', 'other']) {
        const client = await createStockClient(two.issuer, clientId)
        const pending = await createAuthorizationRequest(client, {
          scope: SCOPE,
          resource: `${two.apisOrigin}/3gpp-as-session-with-qos/v1`,
        })
        const page = await signInAndAllow(new ScriptedBrowser(), pending.url)
        subjects.push(decodeJwt((await redeemCode(client, pending, page.url)).access_token).sub)
      }
      expect(subjects[0]).toBe(subjects[1])
      expect(subjects[0]).not.toBe(subjects[2])
    } finally {
      await two.close()
    }
  })
})

describe('pairwise subjects of dynamically registered applications', () => {
  it('differ, although all applications have the redirect URI of the broker', async () => {
    const subjects = []
    for (const _application of ['one', 'two']) {
      const ue = await onboardUe(network, 'oauth', 'dynamic', '')
      const person = await createPerson('password', network)
      const access = createApiAccess(ue, 'Session with quality of service')
      const { accessToken } = await obtainTokens(ue, access, (url) => person.authorize(url))
      subjects.push(decodeJwt(accessToken).sub)
    }
    expect(new Set(subjects).size).toBe(2)
  })
})

describe('a token of one profile', () => {
  it('is rejected by an API of another profile', async () => {
    const { tokens } = await obtainToken(network)
    const answer = await fetch(`${network.apisOrigin}/quality-on-demand/v1/sessions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(answer.status).toBe(401)
  })

  it('is rejected by another API of the same profile (RFC 9068 section 4, aud)', async () => {
    const { tokens } = await obtainToken(
      network,
      '3gpp-monitoring-event',
      `${network.apisOrigin}/3gpp-monitoring-event/v1`,
    )
    const answer = await fetch(`${resource}/a/subscriptions`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(answer.status).toBe(401)
  })
})
