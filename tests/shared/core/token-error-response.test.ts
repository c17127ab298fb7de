/**
 * Error responses of the token endpoint, and refresh requests.
 *
 * Seen to fail when the media type of an error response decides whether it is read (H14), and when a 408 is an
 * untrusted response.
 */

import { describe, expect, test } from 'vitest'
import {
  type FlowKeys,
  redeemCode,
  refreshTokens,
  toProviderError,
} from '../../../shared/core/index.ts'
import { type Answer, closedNetwork, json, START } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  CLIENT_ID,
  METADATA,
  RESOURCE,
  redeemable,
  SERVER,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'

async function redeem(answer: Answer, metadata = METADATA, keys: FlowKeys = {}) {
  const network = closedNetwork().on(TOKEN_ENDPOINT, answer)
  const flow = await redeemable(network, { metadata, dpop: keys.dpop })
  return redeemCode(flow, network, keys)
}

const tokenError = (answer: Answer, metadata = METADATA, keys: FlowKeys = {}) =>
  failure(redeem(answer, metadata, keys))

describe('an error response of the token endpoint (RFC 6749 section 5.2)', () => {
  test.each([
    ['invalid_grant', 400],
    ['invalid_client', 401],
    ['unauthorized_client', 400],
    ['unsupported_grant_type', 400],
  ])('T13, T14: "%s" fails without a retry and keeps its error', async (error, status) => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, json({ error }, { status }))
    const failed = await failure(redeemCode(await redeemable(network), network))
    expect(network.sent).toHaveLength(1)
    expect(failed.code).toBe('authorization_server_error')
    expect(toProviderError(failed)).toMatchObject({
      code: 4310,
      data: { error, httpStatus: status },
    })
  })

  // Seen to fail before: the error was `invalid_response`, and the word of the server was lost.
  test.each(['invalid_grant', 'invalid_client', 'temporarily_unavailable'])(
    'H08: "%s" with status 200 is an error response all the same, of a code and of a refresh token',
    async (error) => {
      const echo: Answer = ({ form }) =>
        json({ error, error_description: `${form.get('code')} ${form.get('refresh_token')}` })
      const refreshError = await failure(
        refreshTokens(
          { server: SERVER, metadata: METADATA, clientId: CLIENT_ID, refreshToken: 'the-refresh' },
          closedNetwork().on(TOKEN_ENDPOINT, echo),
        ),
      )
      for (const failed of [await tokenError(echo), refreshError]) {
        expect(failed).toMatchObject({ code: 'authorization_server_error', error, httpStatus: 200 })
        expect(JSON.stringify(failed)).toContain('[removed]')
        expect(JSON.stringify(failed)).not.toMatch(/the-code|the-refresh/)
      }
    },
  )

  test('T14: invalid_client with a challenge keeps its error (RFC 6749 section 5.2)', async () => {
    const headers = { 'www-authenticate': 'Basic realm="as"' }
    const failed = await tokenError(json({ error: 'invalid_client' }, { status: 401, headers }))
    expect(failed.error).toBe('invalid_client')
  })

  test.each(['text/html', 'text/plain', ''])(
    'T15: a 400 of type "%s" is an HTTP error without the text of its body',
    async (type) => {
      const body = '<p>secret stack trace</p>'
      const failed = await tokenError(
        new Response(body, { status: 400, headers: { 'content-type': type } }),
      )
      expect(failed.code).toBe('invalid_response')
      expect(failed.httpStatus).toBe(400)
      expect(JSON.stringify(failed)).not.toContain('stack trace')
    },
  )

  test.each(['text/html', 'text/plain', 'application/octet-stream', ''])(
    'H14: the JSON of a 400 of type "%s" keeps its error and its description (RFC 6749 section 5.2)',
    async (type) => {
      const body = JSON.stringify({ error: 'invalid_scope', error_description: 'no such scope' })
      const headers = { 'content-type': type }
      const failed = await tokenError(new Response(body, { status: 400, headers }))
      expect([failed.code, failed.error, failed.errorDescription]).toEqual([
        'authorization_server_error',
        'invalid_scope',
        'no such scope',
      ])
    },
  )

  test('T16: a code whose response is lost is not sent again (RFC 6749 section 4.1.2)', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, () => {
      throw new TypeError('network')
    })
    const failed = await failure(redeemCode(await redeemable(network), network))
    expect(failed.code).toBe('network_error')
    expect(network.sent).toHaveLength(1)
  })

  test('T17, T18: a request has no cookie, no cache and no referrer', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
    await redeemCode(await redeemable(network), network)
    expect(network.sent[0]?.init).toMatchObject({
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    })
  })

  test('T19: a secret that a server repeats is removed from its text', async () => {
    const network = closedNetwork()
    const flow = await redeemable(network)
    network.on(TOKEN_ENDPOINT, ({ form }) =>
      json(
        {
          error: 'invalid_grant',
          error_description: `code ${form.get('code')} verifier ${form.get('code_verifier')} token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln`,
        },
        { status: 400 },
      ),
    )
    const text = JSON.stringify(toProviderError(await failure(redeemCode(flow, network))))
    expect(text).toContain('[removed]')
    expect(text).not.toContain('the-code')
    expect(text).not.toContain(flow.codeVerifier)
    expect(text).not.toContain('eyJ')
  })

  test('T19: a refresh token that a server repeats as its error is removed', async () => {
    const network = closedNetwork().on(
      TOKEN_ENDPOINT,
      json({ error: 'secret-refresh-token' }, { status: 400 }),
    )
    const failed = await failure(
      refreshTokens(
        {
          server: SERVER,
          metadata: METADATA,
          clientId: CLIENT_ID,
          refreshToken: 'secret-refresh-token',
        },
        network,
      ),
    )
    expect(JSON.stringify(failed)).not.toContain('secret-refresh-token')
  })

  test.each([
    [429, '7', 'rate_limited', 7],
    [503, '120', 'network_error', 120],
    [503, new Date(START + 30_000).toUTCString(), 'network_error', 30],
    [503, new Date(START - 30_000).toUTCString(), 'network_error', 0],
    [503, '999999999', 'network_error', 86_400],
    [503, 'soon', 'network_error', undefined],
    [503, '1.5', 'network_error', undefined],
    [408, '3', 'network_error', 3],
    [500, '', 'network_error', undefined],
  ])('N04: status %i with Retry-After "%s"', async (status, header, code, seconds) => {
    const headers = { 'retry-after': header }
    const failed = await tokenError(new Response('', { status, headers }))
    expect(failed.code).toBe(code)
    expect(failed.httpStatus).toBe(status)
    expect(failed.retryAfterSeconds).toBe(seconds)
  })
})

describe('a refresh (RFC 6749 section 6)', () => {
  const held = { server: SERVER, metadata: METADATA, clientId: CLIENT_ID, refreshToken: 'first' }

  test('C13: never requests more than the granted scope', async () => {
    const network = closedNetwork()
    const error = await failure(
      refreshTokens({ ...held, grantedScope: 'qos', scope: 'qos admin' }, network),
    )
    expect(error.code).toBe('invalid_params')
    expect(network.sent).toHaveLength(0)
  })

  test('may request less', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, json({ ...TOKEN_RESPONSE, scope: 'a' }))
    const tokens = await refreshTokens({ ...held, grantedScope: 'a b', scope: 'a' }, network)
    expect(network.sent[0]?.form.get('scope')).toBe('a')
    expect(tokens.scope).toBe('a')
  })

  test('a resource is requested by its indicator (RFC 8707 section 2.2)', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
    const tokens = await refreshTokens({ ...held, resource: RESOURCE }, network)
    expect(network.sent[0]?.form.getAll('resource')).toEqual([RESOURCE])
    expect(tokens.resource).toBe(RESOURCE)
  })
})
