/**
 * Tests section 4 of the contract: errors that are caused by an authorization function, an API or the
 * network. The network of the test produces all of them.
 *
 * Seen to fail when:
 * - the server's error code is replaced by an error code of the broker;
 * - 429 is returned like any other result.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { FaultAction, FaultRule } from '../../../demo-site/network/index.ts'
import { redirectUriFor } from '../../../shared/core/index.ts'
import type {
  ErrorCode,
  FetchResult,
  Grant,
  ProviderErrorData,
} from '../../../shared/messages/page-api.ts'
import { test } from '../fixtures.ts'
import { subscriptionsUrl } from '../support/api-calls.ts'
import { connectQuickly, signInBeforehand } from '../support/known-subscriber.ts'
import { wishFor, wishForAll } from '../support/operator-wish.ts'
import { expectError } from '../support/shapes.ts'
import { call, gesture, type Stage } from '../support/stage.ts'
import { addApiFault } from '../support/subscriptions.ts'

const METADATA = '/.well-known/*'

interface Case {
  title: string
  rule: (stage: Stage) => FaultRule | Promise<FaultRule>
  code: ErrorCode
  error: string
  data?: Partial<ProviderErrorData>
}

const atToken = (action: FaultAction) => (): FaultRule => ({
  method: 'POST',
  path: '*/token',
  action,
})

const tokens = (more: object) =>
  atToken({
    type: 'body',
    body: JSON.stringify({ access_token: 'x'.repeat(20), token_type: 'Bearer', ...more }),
  })

/** An error response of the token endpoint (RFC 6749 section 5.2). The page gets its error code. */
const errorResponse = (title: string, status: number, error: string): Case => ({
  title,
  rule: atToken({
    type: 'status',
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error, error_description: `about ${error}` }),
  }),
  code: 4310,
  error,
  data: { errorDescription: `about ${error}`, httpStatus: status },
})

const CASES: Case[] = [
  {
    title: '4300 invalid_response: a web page in the place of the metadata',
    rule: () => ({
      path: METADATA,
      action: {
        type: 'status',
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<!doctype html><title>Welcome to the train</title>',
      },
    }),
    code: 4300,
    error: 'invalid_response',
  },
  {
    title: '4300 issuer_mismatch: an authorization response of another issuer',
    rule: () => ({ path: '/auth', action: { type: 'issuer', issuer: 'https://evil.example' } }),
    code: 4300,
    error: 'issuer_mismatch',
  },
  {
    title: '4300 state_mismatch: an authorization response to another request',
    rule: async ({ network: { issuer }, redirectBase }) => {
      const response = new URLSearchParams({ code: 'x', state: 'x'.repeat(43), iss: issuer })
      const location = `${await redirectUriFor(redirectBase, issuer)}?${response}`
      return { path: '/auth', action: { type: 'redirect', status: 302, location } }
    },
    code: 4300,
    error: 'state_mismatch',
  },
  {
    title: '4300 token_type_mismatch: a token bound to a key that was not asked for',
    rule: tokens({ token_type: 'DPoP', expires_in: 600 }),
    code: 4300,
    error: 'token_type_mismatch',
  },
  errorResponse('4310 invalid_grant: the server’s word stays', 400, 'invalid_grant'),
  errorResponse('4310 invalid_client: the server’s word stays', 401, 'invalid_client'),
  errorResponse('4310 invalid_scope: the server’s word stays', 400, 'invalid_scope'),
  errorResponse(
    '4310 unsupported_grant_type: the server’s word stays',
    400,
    'unsupported_grant_type',
  ),
  errorResponse('4310 a_word_of_its_own: the server’s word stays', 400, 'a_word_of_its_own'),
  {
    title: '4290 rate_limited: the authorization function said 429',
    rule: atToken({ type: 'status', status: 429, headers: { 'retry-after': '7' } }),
    code: 4290,
    error: 'rate_limited',
    data: { httpStatus: 429, retryAfterSeconds: 7 },
  },
  {
    title: '4901 network_error: the connection breaks',
    rule: () => ({ path: METADATA, action: { type: 'drop', when: 'before-reading' } }),
    code: 4901,
    error: 'network_error',
  },
]

/** The operator that identifies its subscribers by the mobile network, and signs ID tokens. */
const camaraTest = test.extend('options', {
  operator: { onboarding: 'preregistered', clientAuthentication: 'none' },
})

describe('an authorization', () => {
  const impatientTest = test.extend('options', { limits: { REQUEST_TIMEOUT_MS: 500 } })
  impatientTest('4901 timeout: no answer', async ({ stage, page }) => {
    stage.network.faults.add({ path: METADATA, action: { type: 'hang' } })
    expectError(await call<Grant>(page, 'northbound_connect', stage.wish()), 4901, 'timeout')
  })

  const titled = CASES.map((row): [string, Case] => [row.title, row])
  test.for(titled)('%s', async ([, { rule, code, error, data }], { stage, page }) => {
    await signInBeforehand(stage)
    stage.network.faults.add(await rule(stage))
    await gesture(page)
    const outcome = await call<Grant>(page, 'northbound_connect', stage.wish())
    expectError(outcome, code, error, data)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
  })

  camaraTest('4300 invalid_id_token: an ID token that nobody signed', async ({ stage, page }) => {
    const wish = wishFor(stage, 'camara')
    await signInBeforehand(stage, wish)
    const forged = tokens({ expires_in: 600, id_token: 'eyJhbGciOiJub25lIn0.e30.' })
    stage.network.faults.add(forged())
    await gesture(page)
    const outcome = await call<Grant>(page, 'northbound_connect', wish)
    expectError(outcome, 4300, 'invalid_id_token')
  })
})

describe('a call of an API', () => {
  const fetchDuring = (stage: Stage, page: Page, granted: Grant, action: FaultAction) => {
    addApiFault(stage, action)
    return call<FetchResult>(page, 'northbound_fetch', { url: subscriptionsUrl(granted) })
  }

  const challenge = (status: number, parameters: string): FaultAction => ({
    type: 'status',
    status,
    headers: { 'www-authenticate': `Bearer ${parameters}` },
  })

  test('4220 insufficient_user_authentication: the API wants another authentication (RFC 9470)', async ({
    stage,
    page,
    granted,
  }) => {
    const error = 'insufficient_user_authentication'
    const action = challenge(401, `error="${error}", max_age="1"`)
    expectError(await fetchDuring(stage, page, granted, action), 4220, error, { httpStatus: 401 })
  })

  test('4220 insufficient_scope: the API wants more scope (RFC 6750)', async ({
    stage,
    page,
    granted,
  }) => {
    const action = challenge(403, 'error="insufficient_scope", scope="everything"')
    const outcome = await fetchDuring(stage, page, granted, action)
    expectError(outcome, 4220, 'insufficient_scope', { httpStatus: 403 })
  })

  test('4290 rate_limited: the API said 429', async ({ stage, page, granted }) => {
    const headers = { 'retry-after': '7' }
    const outcome = await fetchDuring(stage, page, granted, {
      type: 'status',
      status: 429,
      headers,
    })
    expectError(outcome, 4290, 'rate_limited', { httpStatus: 429, retryAfterSeconds: 7 })
  })

  test('4901 network_error: the API cannot be reached', async ({ stage, page, granted }) => {
    const outcome = await fetchDuring(stage, page, granted, {
      type: 'drop',
      when: 'before-reading',
    })
    expectError(outcome, 4901, 'network_error')
  })

  camaraTest(
    '4230 not_on_mobile_network: the API knows subscribers by the mobile bearer, and this UE is not on it',
    async ({ stage, page }) => {
      const { issuer, apis } = wishForAll(stage, 'camara', 2)
      const wished = apis.filter(({ resource }) => resource.includes('number-verification'))
      const { result } = await connectQuickly(stage, page, { issuer, apis: wished })
      const url = `${result?.apis[0]?.resource}/device-phone-number`
      const outcome = await call(page, 'northbound_fetch', { url })
      expectError(outcome, 4230, 'not_on_mobile_network', { httpStatus: 403 })
    },
  )
})
