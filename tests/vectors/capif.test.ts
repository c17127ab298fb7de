/** Published examples and observed responses of CAPIF cores, with the results of the profile. */

import { describe, expect, test } from 'vitest'
import {
  formatCapifScope,
  parseCapifScope,
  redeemCode,
  type ServerConfig,
  toProviderError,
} from '../../shared/core/index.ts'
import { closedNetwork, json } from '../shared/support/closed-network.ts'
import { failure } from '../shared/support/failure.ts'
import { CLIENT_ID, ISSUER, METADATA, redeemable } from '../shared/support/fixtures.ts'

const server: ServerConfig = { issuer: ISSUER, profile: 'capif', capif: { apiRoot: ISSUER } }
const { token_endpoint: _, ...metadata } = METADATA
const TOKEN = `${ISSUER}/capif-security/v1/securities/${CLIENT_ID}/token`
const apis = [{ resource: 'https://aef.example/x/v1', scope: '3gpp#aef-a:3gpp-monitoring-event' }]

async function redeem(body: unknown, status: number, type = 'application/json') {
  const headers = { 'content-type': type }
  const network = closedNetwork().on(TOKEN, json(body, { status, headers }))
  return redeemCode(await redeemable(network, { server, metadata, apis }), network)
}

describe('the scope example of TS 29.222 V17.4.0 table 8.5.4.2.6-1', () => {
  const EXAMPLE =
    '3gpp#aef-jiangsu-nanjing:3gpp-monitoring-event,3gpp-as-session-with-qos;aef-zhejiang-hangzhou:3gpp-cp-parameter-provisioning,3gpp-pfd-management'

  test('is parsed into its AEFs and APIs, and formatted again', () => {
    const scope = parseCapifScope(EXAMPLE)
    expect(scope).toEqual({
      aefs: [
        {
          aefId: 'aef-jiangsu-nanjing',
          apiNames: ['3gpp-monitoring-event', '3gpp-as-session-with-qos'],
        },
        {
          aefId: 'aef-zhejiang-hangzhou',
          apiNames: ['3gpp-cp-parameter-provisioning', '3gpp-pfd-management'],
        },
      ],
      others: [],
    })
    expect(formatCapifScope(scope)).toBe(EXAMPLE)
  })

  test('may be followed by words outside of 3GPP', () => {
    const scope = parseCapifScope(`${EXAMPLE} openid fine:grained`)
    expect(scope.others).toEqual(['openid', 'fine:grained'])
    expect(formatCapifScope(scope)).toBe(`${EXAMPLE} openid fine:grained`)
  })
})

describe('answers of CAPIF cores', () => {
  const problem = 'application/problem+json'
  test.each([
    {
      core: 'OpenCAPIF: the code grant is not implemented',
      status: 400,
      body: {
        error: 'unsupported_grant_type',
        error_description:
          "Invalid value for `grant_type` (authorization_code), must be one of ['client_credentials'] - 'grant_type'",
      },
      word: 'unsupported_grant_type',
      description: 'must be one of',
    },
    {
      core: 'OpenCAPIF: unknown client',
      status: 400,
      body: { error: 'invalid_client', error_description: 'Client Id not found' },
      word: 'invalid_client',
      description: 'Client Id not found',
    },
    ...[
      "The first characters must be '3gpp'",
      'One of aef_id not belongs of your security context',
      'One of the api names does not exist or is not associated with the aef id provided',
      'malformed scope',
    ].map((error_description) => ({
      core: `OpenCAPIF: ${error_description}`,
      status: 400,
      body: { error: 'invalid_scope', error_description },
      word: 'invalid_scope',
      description: error_description,
    })),
    {
      core: 'O-RAN SC capifcore: the code grant is not implemented',
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Grant type not supported' },
      word: 'invalid_grant',
      description: 'Grant type not supported',
    },
    {
      core: 'O-RAN SC capifcore: scope',
      status: 400,
      body: { error: 'invalid_scope', error_description: 'Scope should start with 3gpp' },
      word: 'invalid_scope',
      description: 'Scope should start with 3gpp',
    },
  ])('$core', async ({ status, body, word, description }) => {
    const error = await failure(redeem(body, status))
    expect(error.code).toBe('authorization_server_error')
    expect(error.error).toBe(word)
    expect(error.errorDescription).toContain(description)
    expect(toProviderError(error)).toMatchObject({ code: 4310, data: { error: word } })
  })

  test.each([
    ['Security context not found', 'API Invoker has no security context', 404, 4300],
    ['Unauthorized', 'Client certificate required', 401, 4300],
    [
      'Bad Request',
      "'x' is not one of ['client_credentials', 'authorization_code'] - 'grant_type'",
      400,
      4300,
    ],
    ['Internal Server Error', 'x', 500, 4901],
    ['Service Unavailable', 'x', 503, 4901],
    ['Too Many Requests', 'x', 429, 4290],
  ])('OpenCAPIF: ProblemDetails "%s" (%s)', async (title, detail, status, code) => {
    const error = await failure(
      redeem({ title, detail, status, type: 'about:blank' }, status, problem),
    )
    expect(error.httpStatus).toBe(status)
    expect(error.errorDescription).toBe(detail.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?'))
    expect(toProviderError(error).code).toBe(code)
  })

  test('nginx before OpenCAPIF: a client certificate is missing', async () => {
    const error = await failure(redeem('<html>403 Forbidden</html>', 403, 'text/html'))
    expect([error.code, error.httpStatus]).toEqual(['invalid_response', 403])
  })

  test('O-RAN SC capifcore: success is 201', async () => {
    const body = {
      access_token: 'jws',
      token_type: 'Bearer',
      expires_in: 300,
      scope: apis[0]?.scope,
    }
    const tokens = await redeem(body, 201)
    expect(tokens).toMatchObject({ accessToken: 'jws', scope: apis[0]?.scope, singleUse: false })
  })

  test('a token of TS 29.222 has the API invoker as its iss, which is accepted since the token is opaque (V17.4.0 table 8.5.4.2.8-1)', async () => {
    const claims = btoa(JSON.stringify({ iss: CLIENT_ID, scope: apis[0]?.scope, exp: 1 }))
    const body = {
      access_token: `eyJhbGciOiJSUzI1NiJ9.${claims}.c2ln`,
      token_type: 'Bearer',
      expires_in: 300,
    }
    expect((await redeem(body, 200)).accessToken).toBe(body.access_token)
  })
})
