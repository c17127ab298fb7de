/**
 * Successful responses of the token endpoint.
 *
 * Seen to fail when the caller gets the tokens of a response without ID token alone (the tests of tokens to revoke),
 * when a `charset` other than UTF-8 rejects a response (H03), when a token of 100 kB or a scope of 3 kB is rejected
 * (H14), and when a refresh token has the grammar of an access token (H22).
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createDpopKey,
  type FlowKeys,
  grantedApis,
  type NorthkeyError,
  redeemCode,
  refreshTokens,
  revokeToken,
  type ServerMetadata,
  type TokenSet,
  UNSTATED_EXPIRY_MS,
} from '../../../shared/core/index.ts'
import { type Answer, closedNetwork, json, START } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  API,
  METADATA,
  RESOURCE,
  redeemable,
  SERVER,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'

const WITH_DPOP: ServerMetadata = { ...METADATA, dpop_signing_alg_values_supported: ['ES256'] }

async function redeem(answer: Answer, metadata = METADATA, keys: FlowKeys = {}) {
  const network = closedNetwork().on(TOKEN_ENDPOINT, answer)
  const flow = await redeemable(network, { metadata, dpop: keys.dpop })
  return redeemCode(flow, network, keys)
}

const tokenError = (answer: Answer, metadata = METADATA, keys: FlowKeys = {}) =>
  failure(redeem(answer, metadata, keys))

describe('the answer of the token endpoint (RFC 6749 section 5.1)', () => {
  test.each([301, 302, 303, 307, 308])(
    'T01: a redirect %i is not followed (RFC 9700 section 4.12)',
    async (status) => {
      const network = closedNetwork().on(
        TOKEN_ENDPOINT,
        new Response(null, { status, headers: { location: 'https://evil.example/token' } }),
      )
      const error = await failure(redeemCode(await redeemable(network), network))
      expect(error.code).toBe('invalid_response')
      expect(network.sent).toHaveLength(1)
      expect(network.sent[0]?.init.redirect).toBe('manual')
    },
  )

  test.each([
    'http://as.example/token',
    'http://localhost.evil.example/token',
    'http://10.0.0.1/token',
    'ftp://as.example/token',
    'https://user:password@as.example/token',
  ])(
    'T02: the token endpoint "%s" gets no request (RFC 6749 section 3.2)',
    async (token_endpoint) => {
      const network = closedNetwork({ allowInsecureLoopback: true })
      const flow = await redeemable(network, { metadata: { ...METADATA, token_endpoint } })
      expect((await failure(redeemCode(flow, network))).code).toBe('insecure_url')
      expect(network.sent).toHaveLength(0)
    },
  )

  test('T02: http on loopback gets a request only if it was explicitly allowed', async () => {
    const token_endpoint = 'http://localhost:8080/token'
    const metadata = { ...METADATA, token_endpoint }
    const closed = closedNetwork()
    const rejected = await failure(redeemCode(await redeemable(closed, { metadata }), closed))
    expect(rejected.code).toBe('insecure_url')
    const open = closedNetwork({ allowInsecureLoopback: true }).on(
      token_endpoint,
      json(TOKEN_RESPONSE),
    )
    await redeemCode(await redeemable(open, { metadata }), open)
    open.done()
  })

  const whole = JSON.stringify(TOKEN_RESPONSE)
  const utf16 = (text: string) =>
    Uint8Array.from([...text].flatMap((character) => [character.charCodeAt(0), 0]))
  test.each<[string, string | Uint8Array<ArrayBuffer>, string]>([
    ['HTML', '<html></html>', 'text/html'],
    ['HTML that says it is JSON', '<html></html>', 'application/json'],
    ['JSON that says it is HTML', whole, 'text/html'],
    ['JSON without a type', whole, ''],
    ['nothing', '', 'application/json'],
    ['half of it', whole.slice(0, -8), 'application/json'],
    ['an array', `[${whole}]`, 'application/json'],
    ['a string', '"x"', 'application/json'],
    ['null', 'null', 'application/json'],
    ['a byte order mark', `\ufeff${whole}`, 'application/json'],
    ['octets that are not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 'application/json'],
    ['UTF-16', utf16(whole), 'application/json; charset=utf-16'],
    ['ISO-8859-1', Uint8Array.of(0x22, 0xe4, 0x22), 'application/json; charset=ISO-8859-1'],
    ['depth without measure', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 'application/json'],
    ['two documents', `${whole}${whole}`, 'application/json'],
  ])('T03: a 200 with %s is rejected', async (_what, body, type) => {
    const headers = { 'content-type': type }
    expect((await tokenError(new Response(body, { headers }))).code).toBe('invalid_response')
  })

  test.each(['ISO-8859-1', 'utf8', 'us-ascii', 'utf-16'])(
    'T03, H03: a 200 that is UTF-8 and labelled charset=%s is accepted (RFC 8259 section 11)',
    async (charset) => {
      const headers = { 'content-type': `application/json;charset=${charset}` }
      const tokens = await redeem(new Response(whole, { headers }))
      expect(tokens.accessToken).toBe(TOKEN_RESPONSE.access_token)
    },
  )

  test('H14: tokens and scope of any length are accepted, up to the size of an answer', async () => {
    const long = {
      access_token: 'a'.repeat(100_000),
      refresh_token: 'r'.repeat(100_000),
      scope: `qos ${'s'.repeat(3000)}`,
    }
    const tokens = await redeem(json({ ...TOKEN_RESPONSE, ...long }))
    expect([tokens.accessToken, tokens.refreshToken, tokens.scope]).toEqual(Object.values(long))
  })

  test('H22: a refresh token with a space is kept, sent and revoked as it is (RFC 6749 appendix A.17)', async () => {
    const refreshToken = ' r "\\ ~ '
    const network = closedNetwork()
      .on(TOKEN_ENDPOINT, json({ ...TOKEN_RESPONSE, refresh_token: refreshToken }))
      .on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
      .on(`${METADATA.issuer}/revoke`, new Response(''))
    const tokens = await redeemCode(await redeemable(network), network)
    expect(tokens.refreshToken).toBe(refreshToken)
    const client = { server: SERVER, metadata: METADATA, clientId: 'client' }
    await refreshTokens({ ...client, refreshToken }, network)
    await revokeToken({ ...client, token: refreshToken, tokenTypeHint: 'refresh_token' }, network)
    expect(
      network.sent.slice(1).map(({ form }) => form.get('refresh_token') ?? form.get('token')),
    ).toEqual([refreshToken, refreshToken])
  })

  test.each(['a\u0000', 'a\r\nb', 'tökën', 7, {}])(
    'H22: the refresh token %j is rejected',
    async (refresh_token) => {
      const error = await tokenError(json({ ...TOKEN_RESPONSE, refresh_token }))
      expect(error.code).toBe('invalid_response')
      expect(error.message).toContain('"refresh_token"')
    },
  )

  const issued = { ...TOKEN_RESPONSE, refresh_token: 'refresh' }
  const rejections: [string, object, string][] = [
    [
      'another token type than the binding',
      { ...issued, token_type: 'DPoP' },
      'token_type_mismatch',
    ],
    ['an unknown token type', { ...issued, token_type: 'mac' }, 'invalid_response'],
    ['a scope of another grammar', { ...issued, scope: 'a  b' }, 'invalid_response'],
  ]

  test.each(rejections)(
    'the caller gets the tokens to revoke of a response with %s',
    async (_, body, code) => {
      const rejected: TokenSet[] = []
      const onTokensRejected = (tokens: TokenSet) => void rejected.push(tokens)
      const network = closedNetwork().on(TOKEN_ENDPOINT, json(body)).on(TOKEN_ENDPOINT, json(body))
      const error = await failure(
        redeemCode(await redeemable(network), network, { onTokensRejected }),
      )
      expect(error.code).toBe(code)
      const refresh = {
        server: SERVER,
        metadata: METADATA,
        clientId: 'client',
        refreshToken: 'earlier',
        onTokensRejected,
      }
      expect((await failure(refreshTokens(refresh, network))).code).toBe(code)
      const { access_token: accessToken } = TOKEN_RESPONSE
      expect(rejected).toMatchObject([
        { accessToken, refreshToken: 'refresh' },
        { accessToken, refreshToken: 'refresh' },
      ])
    },
  )

  test('T05: a member named __proto__ stays a member', async () => {
    const polluted = `{"__proto__":{"polluted":1,"access_token":"evil"},"constructor":{"prototype":{"polluted":1}},${whole.slice(1)}`
    const tokens = await redeem(json(polluted))
    expect(tokens.accessToken).toBe(TOKEN_RESPONSE.access_token)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    const only = '{"__proto__":{"access_token":"evil","token_type":"Bearer"}}'
    expect((await tokenError(json(only))).code).toBe('invalid_response')
  })

  test('T05: any JSON gives well-formed tokens or a NorthkeyError, and changes no prototype', async () => {
    const key = fc.oneof(
      fc.constantFrom('access_token', 'token_type', 'expires_in', 'scope', '__proto__'),
      fc.string(),
    )
    const value = fc.oneof(fc.constantFrom('Bearer', 'x'), fc.jsonValue())
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(key, value)), async (members) => {
        const text = `{${members.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)}}`
        try {
          const tokens = await redeem(json(text))
          expect(tokens.accessToken).toMatch(/^[\x21-\x7e]+$/)
          expect(tokens.expiresAtMs).toBeGreaterThan(START)
        } catch (error) {
          expect((error as NorthkeyError).name).toBe('NorthkeyError')
        }
        expect(Object.keys(Object.prototype)).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['a number', 7],
    ['an object', {}],
    ['with a line break', 'a\r\nX-Injected: 1'],
    ['with a space', 'a b'],
    ['with NUL', 'a\u0000'],
    ['outside of ASCII', 'tökën'],
  ])('T06: an access token that is %s is rejected', async (_what, access_token) => {
    expect((await tokenError(json({ ...TOKEN_RESPONSE, access_token }))).code).toBe(
      'invalid_response',
    )
  })

  test.each(['bearer', 'BEARER', 'Bearer'])(
    'T07: the type "%s" is Bearer (RFC 6749 section 5.1)',
    async (token_type) => {
      expect((await redeem(json({ ...TOKEN_RESPONSE, token_type }))).tokenType).toBe('Bearer')
    },
  )

  test.each(['dpop', 'DPOP', 'dPoP'])('T07: the type "%s" is DPoP', async (token_type) => {
    const dpop = await createDpopKey()
    const tokens = await redeem(json({ ...TOKEN_RESPONSE, token_type }), WITH_DPOP, { dpop })
    expect(tokens.tokenType).toBe('DPoP')
  })

  test.each([undefined, '', 'mac', 'N_A', 7, ['Bearer']])(
    'T08: a token of the type %j is not used (RFC 6749 section 7.1)',
    async (token_type) => {
      const error = await tokenError(json({ ...TOKEN_RESPONSE, token_type }))
      expect(error.code).toBe('invalid_response')
    },
  )

  test('T09: a bearer token for a proof is discarded (RFC 9449 section 5)', async () => {
    const dpop = await createDpopKey()
    const error = await tokenError(json(TOKEN_RESPONSE), WITH_DPOP, { dpop })
    expect(error.code).toBe('token_type_mismatch')
  })

  test('T09: a DPoP token is discarded if no proof was sent', async () => {
    const error = await tokenError(json({ ...TOKEN_RESPONSE, token_type: 'DPoP' }))
    expect(error.code).toBe('token_type_mismatch')
  })

  test.each([
    ['a number in a string', '600', 600],
    ['1e12', 1e12, 86_400],
    ['300', 300, 300],
  ])('T10: expires_in that is %s', async (_what, expires_in, seconds) => {
    const tokens = await redeem(json({ ...TOKEN_RESPONSE, expires_in }))
    expect(tokens.expiresAtMs).toBe(START + seconds * 1000)
    expect(tokens.singleUse).toBe(false)
  })

  // Seen to fail before: such a token was for one call.
  test.each([
    ['missing', undefined],
    ['null', null],
    ['0', 0],
    ['negative', -5],
    ['no number', 'soon'],
    ['an object', {}],
    ['less than a second', 5e-324],
  ])(
    'H12, T10: expires_in that is %s states no life: the token serves until the API refuses it',
    async (_what, expires_in) => {
      const tokens = await redeem(json({ ...TOKEN_RESPONSE, expires_in }))
      expect(tokens).toMatchObject({ expiresAtMs: UNSTATED_EXPIRY_MS, singleUse: false })
      expect(JSON.parse(JSON.stringify(tokens))).toEqual(tokens)
      expect(new Date(UNSTATED_EXPIRY_MS).getTime()).toBe(UNSTATED_EXPIRY_MS)
    },
  )

  test('T10: expires_in that JSON parses as infinite is ignored', async () => {
    const text = JSON.stringify(TOKEN_RESPONSE).replace('600', '1e999')
    expect((await redeem(json(text))).expiresAtMs).toBe(UNSTATED_EXPIRY_MS)
  })

  test('T11: a narrower scope in the response is the granted scope (RFC 6749 section 3.3)', async () => {
    const tokens = await redeem(json({ ...TOKEN_RESPONSE, scope: 'qos' }))
    const requestedApis = [
      { resource: RESOURCE, scope: 'qos qos:write' },
      { resource: 'https://api.example/other', scope: 'location' },
    ]
    expect(grantedApis(SERVER, requestedApis, tokens.scope)).toEqual([
      { resource: RESOURCE, scope: 'qos' },
    ])
  })

  test('T11: a response without scope grants the requested scope (RFC 6749 section 5.1)', async () => {
    const { scope: _, ...silent } = TOKEN_RESPONSE
    expect((await redeem(json(silent))).scope).toBe('qos')
  })

  test('T12: scope beyond the request is recorded and not passed to the page', async () => {
    const tokens = await redeem(json({ ...TOKEN_RESPONSE, scope: 'qos admin' }))
    expect(tokens.scope).toBe('qos admin')
    expect(grantedApis(SERVER, [API], tokens.scope)).toEqual([API])
  })

  test.each(['a\u0000', 'a  b', 7, {}])('T12: the scope %j is rejected', async (scope) => {
    expect((await tokenError(json({ ...TOKEN_RESPONSE, scope }))).code).toBe('invalid_response')
  })
})
