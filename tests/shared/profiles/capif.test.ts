/** Token requests and responses of the profile `capif`. */

import { describe, expect, test } from 'vitest'
import {
  beginAuthorization,
  createDpopKey,
  discover,
  redeemCode,
  refreshTokens,
  type ServerConfig,
} from '../../../shared/core/index.ts'
import { closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  begin,
  CLIENT_ID,
  ISSUER,
  METADATA,
  redeemable,
  request,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'

const API_ROOT = 'https://ccf.example/root'
const TOKEN = `${API_ROOT}/capif-security/v1/securities/${CLIENT_ID}/token`
const SCOPE = '3gpp#aef-a:3gpp-as-session-with-qos'
const { token_endpoint: _, ...PUBLISHED } = METADATA

const server = (capif: ServerConfig['capif'] = {}): ServerConfig => ({
  issuer: ISSUER,
  profile: 'capif',
  capif: { apiRoot: API_ROOT, ...capif },
})

const apis = [{ resource: 'https://aef.example/3gpp-as-session-with-qos/v1', scope: SCOPE }]

async function redeem(capif: ServerConfig['capif'] = {}, gpsi?: string, response = TOKEN_RESPONSE) {
  const network = closedNetwork().on(TOKEN, json({ ...response, scope: SCOPE }))
  const flow = await redeemable(network, { server: server(capif), metadata: PUBLISHED, apis })
  const tokens = await redeemCode(flow, network, gpsi === undefined ? {} : { gpsi })
  return { tokens, form: network.sent[0]?.form ?? new URLSearchParams(), flow }
}

describe('the token request (TS 29.222 clause 8.5, AccessTokenReq)', () => {
  test('goes to the securities of the API invoker with both names of the code and the verifier', async () => {
    const { form, flow } = await redeem()
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      redirect_uri: flow.redirectUri,
      code: 'the-code',
      authCode: 'the-code',
      code_verifier: flow.codeVerifier,
    })
  })

  test('sends one name of the code if the operator configures it', async () => {
    const strict = (await redeem({ authCode: 'authCode' })).form
    expect([strict.get('code'), strict.get('authCode')]).toEqual([null, 'the-code'])
    const stock = (await redeem({ authCode: 'code' })).form
    expect([stock.get('code'), stock.get('authCode')]).toEqual(['the-code', null])
  })

  test('sends the resource owner only if configured, in the configured form', async () => {
    const gpsi = 'msisdn-34666666666'
    expect((await redeem({}, gpsi)).form.has('resOwnerId')).toBe(false)
    expect((await redeem({ resOwnerId: 'json' }, gpsi)).form.get('resOwnerId')).toBe(
      '{"gpsi":"msisdn-34666666666"}',
    )
    expect((await redeem({ resOwnerId: 'gpsi' }, gpsi)).form.get('gpsi')).toBe(gpsi)
    expect((await redeem({ resOwnerId: 'json' })).form.has('resOwnerId')).toBe(false)
    expect((await failure(redeem({ resOwnerId: 'gpsi' }, ''))).code).toBe('invalid_params')
  })

  test('encodes an API invoker id into one segment of the path', async () => {
    const clientId = 'INV/../x?y'
    const { flow } = await beginAuthorization(
      request({ server: server(), metadata: PUBLISHED, apis, clientId }),
      closedNetwork(),
    )
    expect(flow.metadata.token_endpoint).toBe(
      `${API_ROOT}/capif-security/v1/securities/INV%2F..%2Fx%3Fy/token`,
    )
  })

  test('uses the token endpoint of the metadata if there is one, else the API root, and requires one of them', async () => {
    const own = await beginAuthorization(
      request({ server: server(), metadata: METADATA, apis }),
      closedNetwork(),
    )
    expect(own.flow.metadata.token_endpoint).toBe(METADATA.token_endpoint)
    const neither: ServerConfig = { issuer: ISSUER, profile: 'capif' }
    const error = await failure(
      beginAuthorization(request({ server: neither, metadata: PUBLISHED, apis }), closedNetwork()),
    )
    expect(error.code).toBe('invalid_metadata')
  })

  test('has no resource parameter and no proof: TS 33.122 annex C has bearer tokens', async () => {
    const { authorizationUrl, flow } = await beginAuthorization(
      request({
        server: server(),
        metadata: { ...PUBLISHED, dpop_signing_alg_values_supported: ['ES256'] },
        apis,
        dpop: await createDpopKey(),
      }),
      closedNetwork(),
    )
    const names = [...new URL(authorizationUrl).searchParams.keys()]
    expect(names).not.toContain('resource')
    expect(names).not.toContain('dpop_jkt')
    expect(flow.binding).toBe('none')
  })
})

test('A02: openid follows the CAPIF word of the scope, where the server offers it, or profile or grant want an ID token', async () => {
  const scopeOf = async (more: object) =>
    (await begin(closedNetwork(), { server: server(), metadata: PUBLISHED, apis, ...more })).scope
  expect(await scopeOf({})).toBe(SCOPE)
  expect(await scopeOf({ idToken: true })).toBe(`${SCOPE} openid`)
  const metadata = { ...PUBLISHED, scopes_supported: ['openid'] }
  expect(await scopeOf({ metadata })).toBe(`${SCOPE} openid`)
  expect(await scopeOf({ metadata, server: { ...server(), openid: 'never' } })).toBe(SCOPE)
  expect(await scopeOf({ server: { ...server(), openid: 'required' } })).toBe(`${SCOPE} openid`)
})

describe('the token response (TS 29.222 AccessTokenRsp, AccessTokenErr, ProblemDetails)', () => {
  test('is a success with 200 and with 201', async () => {
    for (const status of [200, 201]) {
      const network = closedNetwork().on(TOKEN, json(TOKEN_RESPONSE, { status }))
      const flow = await redeemable(network, { server: server(), metadata: PUBLISHED, apis })
      expect((await redeemCode(flow, network)).accessToken).toBe(TOKEN_RESPONSE.access_token)
    }
  })

  test('drops a refresh token: a grant is renewed by a silent authorization', async () => {
    const withRefresh = { ...TOKEN_RESPONSE, refresh_token: 'unexpected' }
    expect((await redeem({}, undefined, withRefresh)).tokens.refreshToken).toBeUndefined()
    const error = await failure(
      refreshTokens(
        { server: server(), metadata: PUBLISHED, clientId: CLIENT_ID, refreshToken: 'x' },
        closedNetwork(),
      ),
    )
    expect(error.code).toBe('unsupported_by_server')
  })

  test('has two error formats: an OAuth error and ProblemDetails', async () => {
    const tokenError = async (body: object, status: number, type: string) => {
      const headers = { 'content-type': type }
      const network = closedNetwork().on(TOKEN, json(body, { status, headers }))
      const flow = await redeemable(network, { server: server(), metadata: PUBLISHED, apis })
      return failure(redeemCode(flow, network))
    }
    const oauth = await tokenError({ error: 'invalid_grant' }, 400, 'application/json')
    expect([oauth.code, oauth.error]).toEqual(['authorization_server_error', 'invalid_grant'])
    const problem = {
      title: 'Not Found',
      detail: 'Security context not found',
      cause: 'NO_CONTEXT',
    }
    const problemDetails = await tokenError(problem, 404, 'application/problem+json')
    expect(problemDetails.toJSON()).toMatchObject({
      code: 'authorization_server_error',
      error: 'NO_CONTEXT',
      errorDescription: 'Security context not found',
      httpStatus: 404,
    })
  })
})

test('a CAPIF core that publishes no metadata is described by the operator profile only', async () => {
  const { issuer: _issuer, ...metadata } = PUBLISHED
  const network = closedNetwork()
    .on(`${ISSUER}/.well-known/oauth-authorization-server`, new Response('', { status: 404 }))
    .on(`${ISSUER}/.well-known/openid-configuration`, new Response('', { status: 404 }))
  expect(await discover({ ...server(), metadata }, network)).toEqual(PUBLISHED)
})
