/**
 * Validation of authorization responses.
 *
 * Seen to fail when a code has at most 4,096 characters, or a redirect at most 16 kB (H14).
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  authorizationResponseState,
  NORTHKEY_ERROR_CODES,
  NorthkeyError,
  receiveAuthorizationResponse,
  requireDistinctIssuers,
} from '../../../shared/core/index.ts'
import { closedNetwork, START } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import { begin, ISSUER, METADATA, REDIRECT_URI, redirectOf, SERVER } from '../support/fixtures.ts'

async function tokenError(change: Record<string, string | null>, metadata = METADATA) {
  const flow = await begin(closedNetwork(), { metadata })
  return failure(() => receiveAuthorizationResponse(flow, redirectOf(flow, change), START))
}

describe('the authorization response (RFC 6749 section 4.1.2)', () => {
  test('R05: another state is rejected (RFC 9700 section 4.7)', async () => {
    expect((await tokenError({ state: 'another' })).code).toBe('state_mismatch')
  })

  test('R06: a missing or empty state is rejected', async () => {
    expect((await tokenError({ state: null })).code).toBe('state_mismatch')
    expect((await tokenError({ state: '' })).code).toBe('state_mismatch')
  })

  test.each(['code', 'state', 'iss', 'error', 'error_description', 'response'])(
    'R07: a second "%s" is rejected, even an equal one (RFC 6749 section 3.1)',
    async (name) => {
      const flow = await begin(closedNetwork())
      const url = new URL(redirectOf(flow))
      const value = url.searchParams.get(name) ?? 'x'
      if (!url.searchParams.has(name)) url.searchParams.append(name, value)
      url.searchParams.append(name, value)
      const error = await failure(() => receiveAuthorizationResponse(flow, url.href, START))
      expect(error.code).toBe('invalid_response')
    },
  )

  test('R08: another issuer is rejected (RFC 9207 section 2.4)', async () => {
    expect((await tokenError({ iss: 'https://evil.example' })).code).toBe('issuer_mismatch')
  })

  test('R09: a missing issuer is rejected if the server announces the parameter (RFC 9207 section 2.4)', async () => {
    expect((await tokenError({ iss: null })).code).toBe('issuer_mismatch')
  })

  test('R09: a missing issuer is accepted if the server does not announce the parameter', async () => {
    const { authorization_response_iss_parameter_supported: _, ...metadata } = METADATA
    const flow = await begin(closedNetwork(), { metadata })
    const url = redirectOf(flow, { iss: null })
    expect(receiveAuthorizationResponse(flow, url, START).name).toBe('readyToRedeem')
  })

  test.each([
    `${ISSUER}/`,
    'https://AS.example',
    'https://as.example:443',
    'HTTPS://as.example',
    'https://as.example/.',
    'https://as.example.',
    'https://xn--as-.example',
    ' https://as.example',
  ])(
    'R10: the issuer "%s" is compared without normalization (RFC 9207 section 2.4)',
    async (iss) => {
      expect((await tokenError({ iss })).code).toBe('issuer_mismatch')
    },
  )

  test('R11: a different issuer is rejected even if the server did not announce the parameter', async () => {
    const { authorization_response_iss_parameter_supported: _, ...metadata } = METADATA
    const error = await tokenError({ iss: 'https://evil.example' }, metadata)
    expect(error.code).toBe('issuer_mismatch')
  })

  test('R13: two servers with one issuer are rejected (RFC 9207 section 4)', async () => {
    const twice = () => requireDistinctIssuers([SERVER, { ...SERVER, profile: 'camara' as const }])
    expect((await failure(twice)).code).toBe('invalid_params')
    requireDistinctIssuers([SERVER, { issuer: `${ISSUER}/path` }])
  })

  test('R14: an error of another issuer is not attributed to the requested issuer (RFC 9207 section 2.4)', async () => {
    const error = await tokenError({
      code: null,
      error: 'access_denied',
      iss: 'https://evil.example',
    })
    expect(error.code).toBe('issuer_mismatch')
    expect(error.error).toBeUndefined()
  })

  test.each([
    ['a code and an error', { error: 'access_denied' }],
    ['an empty code', { code: '' }],
    ['no code', { code: null }],
    ['a response of more than 256 kB', { code: 'x'.repeat(262_144) }],
    ['NUL in the code', { code: 'a\u0000b' }],
    ['CRLF in the code', { code: 'a\r\nb' }],
    ['letters outside of ASCII in the code', { code: 'cödé' }],
    ['a JARM response', { response: 'x.y.z' }],
    ['an ID token of the hybrid flow', { id_token: 'x.y.z' }],
  ])('R20: %s is rejected (RFC 6749 section 10.14)', async (_what, change) => {
    expect((await tokenError(change)).code).toBe('invalid_response')
  })

  test.each([4097, 10_240, 200_000])(
    'R20, H14: a code of %i characters is accepted, since no specification limits it',
    async (length) => {
      const flow = await begin(closedNetwork())
      const url = redirectOf(flow, { code: 'x'.repeat(length) })
      expect(authorizationResponseState(url)).toBe(flow.state)
      expect(receiveAuthorizationResponse(flow, url, START).callbackUrl).toBe(url)
    },
  )

  test('R20: for any query the result is a flow or a NorthkeyError', async () => {
    const flow = await begin(closedNetwork())
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.oneof(
              fc.constantFrom('code', 'state', 'iss', 'error', 'error_description', '__proto__'),
              fc.string(),
            ),
            fc.oneof(fc.constantFrom(flow.state, ISSUER, 'x'), fc.string({ unit: 'binary' })),
          ),
        ),
        (parameters) => {
          const url = `${REDIRECT_URI}?${new URLSearchParams(parameters)}`
          try {
            const ready = receiveAuthorizationResponse(flow, url, START)
            const query = new URL(ready.callbackUrl).searchParams
            expect(query.getAll('state')).toEqual([flow.state])
            expect(query.getAll('iss')).toEqual([ISSUER])
            expect(query.getAll('code')).toHaveLength(1)
          } catch (error) {
            expect(error).toBeInstanceOf(NorthkeyError)
            expect(NORTHKEY_ERROR_CODES).toContain((error as NorthkeyError).code)
          }
        },
      ),
    )
  })

  test.each([
    'https://broker.example/issuer-path.evil',
    'https://broker.example/issuer-path/',
    'https://broker.example/issuer-path/../issuer-path',
    'https://broker.example/Issuer-path',
    'https://broker.example/other-issuer',
    'https://user@broker.example/issuer-path',
    'https://broker.example:444/issuer-path',
    'https://broker.example:443/issuer-path',
    'http://broker.example/issuer-path',
    'https://broker.example./issuer-path',
    'https://BROKER.example/issuer-path',
    'https://broker.example\\issuer-path',
    'https://broker.example.evil.example/issuer-path',
    'https://evil.example/?https://broker.example/issuer-path',
    '//broker.example/issuer-path',
    'not a URL',
  ])('R22: a response at "%s" is rejected (RFC 8252 section 8.10)', async (base) => {
    const flow = await begin(closedNetwork())
    const { search } = new URL(redirectOf(flow))
    const error = await failure(() => receiveAuthorizationResponse(flow, base + search, START))
    expect(error.code).toBe('invalid_response')
  })

  test('R23: a response after the deadline is discarded', async () => {
    const flow = await begin(closedNetwork())
    const url = redirectOf(flow)
    expect(receiveAuthorizationResponse(flow, url, flow.deadlineMs).name).toBe('readyToRedeem')
    const error = await failure(() => receiveAuthorizationResponse(flow, url, flow.deadlineMs + 1))
    expect(error.code).toBe('flow_expired')
  })

  test('R28: no parameter of a response becomes a navigation target (RFC 9700 section 4.11)', async () => {
    const flow = await begin(closedNetwork())
    const url = redirectOf(flow, { return_to: 'https://evil.example', redirect_uri: 'https://x' })
    const ready = receiveAuthorizationResponse(flow, url, START)
    const { callbackUrl, ...rest } = ready
    expect(callbackUrl).toBe(url)
    expect(JSON.stringify(rest)).not.toContain('evil.example')
  })

  test.each([
    ['access_denied', 'access_denied'],
    ['login_required', 'interaction_required'],
    ['consent_required', 'interaction_required'],
    ['interaction_required', 'interaction_required'],
    ['account_selection_required', 'interaction_required'],
    ['invalid_scope', 'authorization_server_error'],
    ['temporarily_unavailable', 'authorization_server_error'],
    ['a_word_nobody_knows', 'authorization_server_error'],
  ])('the error "%s" is kept and becomes %s (RFC 6749 section 4.1.2.1)', async (error, code) => {
    const failed = await tokenError({ code: null, error, error_description: 'As the server says' })
    expect(failed.code).toBe(code)
    expect(failed.error).toBe(error)
    expect(failed.errorDescription).toBe('As the server says')
  })

  test("R21: a server's text is sanitized: ASCII only, without quotes, of limited length", async () => {
    const error_description = `<b>"hi"</b>\u202e${'x'.repeat(5000)}`
    const { errorDescription = '' } = await tokenError({
      code: null,
      error: 'x',
      error_description,
    })
    expect(errorDescription).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
    expect(errorDescription.length).toBeLessThanOrEqual(300)
  })
})

describe('the state of a redirect', () => {
  test('is read if it occurs once, and is not validated by that', () => {
    expect(authorizationResponseState(`${REDIRECT_URI}?state=x`)).toBe('x')
    expect(authorizationResponseState(`${REDIRECT_URI}?state=x&state=x`)).toBeUndefined()
    expect(authorizationResponseState(`${REDIRECT_URI}?state=`)).toBeUndefined()
    expect(authorizationResponseState(REDIRECT_URI)).toBeUndefined()
    expect(authorizationResponseState('no URL')).toBeUndefined()
  })
})
