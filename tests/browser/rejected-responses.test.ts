/**
 * Tests authorization responses that the broker rejects. The flow ends with a typed error of the page
 * contract and without a token.
 *
 * Seen to fail when `validateAuthorizationResponse` reads the code and checks nothing else (R05 to R10, R15,
 * R20); when a response is accepted in any tab (R19, R24); and when the verifier is always the verifier of
 * RFC 7636 appendix B, whose challenge the row sends (R17).
 */

import { describe, expect } from 'vitest'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { test } from './fixtures.ts'
import { expectNothingKept } from './support/nothing-kept.ts'
import { until } from './support/pages.ts'
import { beginSignIn, forgeResponse } from './support/sign-in-window.ts'
import {
  atRedirectHost,
  authorizationRequests,
  authorizationResponses,
  call,
  gesture,
  signIn,
  tokenRequests,
} from './support/stage.ts'

const { untrustedResponse, accessDenied, authorizationServerError } = ERROR_CODE

type Forged = [title: string, change: (response: URLSearchParams) => void, error: string]

const FORGED: Forged[] = [
  ['R05: a wrong state', (r) => r.set('state', 'x'.repeat(43)), 'state_mismatch'],
  ['R06: no state', (r) => r.delete('state'), 'state_mismatch'],
  ['R08: a wrong iss', (r) => r.set('iss', 'https://evil.example'), 'issuer_mismatch'],
  ['R09: no iss, though it is advertised', (r) => r.delete('iss'), 'issuer_mismatch'],
  ['R10: an iss with a slash more', (r) => r.set('iss', `${r.get('iss')}/`), 'issuer_mismatch'],
  ['R07: two codes', (r) => r.append('code', 'second'), 'invalid_response'],
  ['R20: a code and an error', (r) => r.set('error', 'access_denied'), 'invalid_response'],
  ['R20: a code with NUL and CRLF', (r) => r.set('code', 'a\0\r\nb'), 'invalid_response'],
]

describe('a response that does not match the request', () => {
  test.afterEach(({ stage, page }) => expectNothingKept(stage, page))

  test.for(FORGED)(
    '%s is refused, and no code is sent',
    async ([, change, error], { stage, page }) => {
      await gesture(page)
      const { outcome, operator } = await beginSignIn(stage, page)
      await forgeResponse(stage, operator, change)
      expect((await outcome).error).toMatchObject({
        code: untrustedResponse,
        data: { error },
        isError: true,
      })
      expect(tokenRequests(stage)).toEqual([])
    },
  )

  test('R15: the response of an earlier flow is no answer to a new one', async ({
    stage,
    page,
    granted: { grantId },
  }) => {
    const [earlier = ''] = authorizationResponses(stage)
    expect(earlier).toContain('code=')
    // Without a stored authorization the operator has to ask the user again.
    await call(page, 'northbound_revoke', { grantId })
    stage.network.log.clear()
    await gesture(page)
    const { outcome, operator } = await beginSignIn(stage, page)
    await operator.evaluate((address) => location.assign(address), earlier).catch(() => {})
    expect((await outcome).error).toMatchObject({
      code: untrustedResponse,
      data: { error: 'state_mismatch' },
    })
    expect(tokenRequests(stage)).toEqual([])
  })

  test('R19, R24: a response in another tab is ignored, whatever it says', async ({
    stage,
    page,
  }) => {
    await gesture(page)
    const { outcome, operator } = await beginSignIn(stage, page)
    const otherPage = await stage.open()
    await forgeResponse(stage, otherPage, () => {})
    await until('the request of the other tab', async () => atRedirectHost(stage).length > 0)
    // It is a request of that tab alone, and of no flow.
    stage.outside.requests.length = 0
    await operator.close()
    expect((await outcome).error).toMatchObject({ code: accessDenied })
    expect(tokenRequests(stage)).toEqual([])
  })

  test('R17: a code made for another challenge is refused by the server, and nothing is granted', async ({
    stage,
    page,
  }) => {
    await gesture(page)
    const { outcome, operator } = await beginSignIn(stage, page)
    const [request] = authorizationRequests(stage)
    const url = new URL(`${stage.network.issuer}${request?.path}`)
    for (const [key, value] of Object.entries(request?.query ?? {})) {
      for (const single of [value].flat()) url.searchParams.append(key, single)
    }
    url.searchParams.set('code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
    await operator.goto(url.href)
    await signIn(stage)
    expect((await outcome).error).toMatchObject({
      code: authorizationServerError,
      data: { error: 'invalid_grant' },
    })
    expect(tokenRequests(stage)).toHaveLength(1)
  })
})
