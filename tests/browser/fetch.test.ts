/**
 * Tests `northbound_fetch` of the built extension: the request that leaves the browser and the response that
 * the page gets, judged by the log of the API exposing functions.
 *
 * Seen to fail when:
 * - `requestResource` sends credentials (T17) and follows redirects (B18);
 * - all header fields pass (B20);
 * - a rejected token is not replaced (C04, C05, C14);
 * - `meetDemand` reports an authorization that it did not request (C06).
 */

import { describe, expect } from 'vitest'
import type { FaultAction } from '../../demo-site/network/index.ts'
import type { FetchParams, FetchResult, Grant } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { subscriptionsUrl } from './support/api-calls.ts'
import { signInBeforehand } from './support/known-subscriber.ts'
import { wishFor } from './support/operator-wish.ts'
import {
  answerConsent,
  type Called,
  CLIENT_ID,
  call,
  gesture,
  signInPage,
  tokenRequests,
} from './support/stage.ts'
import { addApiFault, apiRequests } from './support/subscriptions.ts'

/** A page with a grant. The log is empty afterwards. */
const test = base.extend('fetchIt', ({ stage, page, granted }) => {
  stage.network.log.clear()
  return (params: Partial<FetchParams> = {}): Promise<Called<FetchResult>> =>
    call(page, 'northbound_fetch', { url: subscriptionsUrl(granted), ...params })
})

const challenge = (parameters: string, status: number): FaultAction => ({
  type: 'status',
  status,
  headers: { 'www-authenticate': `Bearer ${parameters}` },
})

describe('a sealed call', () => {
  test('T17: no cookie goes along, though the browser has one for the API', async ({
    stage,
    fetchIt,
  }) => {
    const headers = { 'set-cookie': 'session=secret; path=/' }
    stage.application.routes.set('/cookie', { html: '', headers })
    const visited = await stage.open('/cookie')
    const api = new URL(stage.network.apisOrigin)
    expect(new URL(visited.url()).hostname).toBe(api.hostname)
    expect(await visited.evaluate(() => document.cookie)).toContain('session=secret')
    expect((await fetchIt()).result?.status).toBe(200)
    expect(apiRequests(stage)).toHaveLength(1)
    expect(apiRequests(stage)[0]?.headers).not.toHaveProperty('cookie')
    expect(apiRequests(stage)[0]?.headers).not.toHaveProperty('referer')
  })

  test.for([301, 302, 303, 307, 308] as const)(
    'B18: a %i is not followed',
    async (status, { stage, fetchIt }) => {
      const location = `${stage.application.origin}/stolen`
      addApiFault(stage, { type: 'redirect', status, location })
      expect((await fetchIt()).error).toMatchObject({
        code: 4300,
        data: { error: 'invalid_response' },
      })
      expect(stage.application.requests.filter((line) => line.includes('/stolen'))).toEqual([])
      expect(apiRequests(stage)).toHaveLength(1)
    },
  )

  test('B20: of the answer’s headers the page sees those of the list', async ({
    stage,
    fetchIt,
  }) => {
    await fetchIt()
    const authorization = String(apiRequests(stage)[0]?.headers.authorization)
    expect(authorization).toMatch(/^Bearer \S{20,}$/)
    const hidden = {
      'set-cookie': 'a=b',
      authorization,
      'dpop-nonce': 'n-1',
      'x-internal': 'x',
    }
    const shown = { etag: '"7"', 'x-correlator': 'c-1' }
    addApiFault(stage, { type: 'header', headers: { ...hidden, ...shown } })
    const { result } = await fetchIt()
    // The API has answered with all header fields, including the broker's own token.
    expect(apiRequests(stage)[1]).toMatchObject({
      headers: { authorization },
      answerHeaders: { ...hidden, ...shown },
    })
    const names = result?.headers.map(([header]) => header) ?? []
    expect(names).toEqual(expect.arrayContaining(['content-type', ...Object.keys(shown)]))
    for (const header of Object.keys(hidden)) expect(names).not.toContain(header)
  })

  test('C04: a 401 costs one refresh and one more call', async ({ stage, fetchIt }) => {
    const headers = { 'www-authenticate': 'Bearer' }
    addApiFault(stage, { type: 'status', status: 401, headers }, 1)
    expect((await fetchIt()).result?.status).toBe(200)
    const [first, second, ...more] = apiRequests(stage).map((request) => request.headers)
    expect(more).toEqual([])
    expect(second?.authorization).toMatch(/^Bearer /)
    expect(second?.authorization).not.toBe(first?.authorization)
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('C05: an API that always says 401 gets two calls, and its words reach the page', async ({
    stage,
    page,
    granted,
    fetchIt: _,
  }) => {
    addApiFault(stage, { type: 'status', status: 401, body: 'no' })
    const answer = await page.evaluate(async (url) => {
      const { result } = (await window.call('northbound_fetch', { url })) as Called<FetchResult>
      return [result?.status, new TextDecoder().decode(result?.body)]
    }, subscriptionsUrl(granted))
    expect(answer).toEqual([401, 'no'])
    expect(apiRequests(stage)).toHaveLength(2)
  })

  test('C06: an API that wants a scope which the operator does not offer is told to the page', async ({
    stage,
    fetchIt,
  }) => {
    addApiFault(stage, challenge('error="insufficient_scope", scope="everything"', 403))
    expect((await fetchIt({ interactive: 'ifNeeded' })).error).toMatchObject({
      code: 4220,
      data: { error: 'insufficient_scope', httpStatus: 403 },
    })
    expect(apiRequests(stage)).toHaveLength(1)
  })

  // An ID token identifies the subscriber, so that the broker tries a silent authorization.
  const identifiedTest = test.extend('options', { operator: { openid: 'required' } })

  identifiedTest(
    'C14: after the network took the token back and the refresh token too, the error is typed',
    async ({ stage, fetchIt }) => {
      await stage.network.revoke(stage.network.issuer, stage.subscriber.id, CLIENT_ID)
      expect((await fetchIt()).error).toMatchObject({
        code: 4210,
        data: { error: 'consent_required' },
      })
    },
  )
})

describe('an API that requires more scope', () => {
  const consentTest = base.extend('options', {
    requireConsent: true,
    operator: { onboarding: 'preregistered', clientAuthentication: 'none' },
  })

  consentTest(
    'C06: the user sees what is added, once, and the call is made with it',
    async ({ stage, page }) => {
      const wish = wishFor(stage, 'camara')
      const [wider] = wishFor(stage, 'camara', 2).apis
      await signInBeforehand(stage, wish)
      await gesture(page)
      const connecting = call<Grant>(page, 'northbound_connect', wish)
      await answerConsent(stage, 'allow')
      const { result: grant, error } = await connecting
      expect(error).toBeUndefined()
      expect(grant?.apis[0]?.scope).not.toBe(wider?.scope)
      await gesture(page)
      const outcome = call<FetchResult>(page, 'northbound_fetch', {
        url: `${wider?.resource}/sessions/${crypto.randomUUID()}`,
        interactive: 'ifNeeded',
      })
      await answerConsent(stage, 'allow')
      const operator = await signInPage(stage)
      await operator.waitForSelector('[data-form=consent]')
      await operator.click('[data-form=consent] [value=allow]')
      expect((await outcome).result?.status).toBe(404)
      const grants = (await call<Grant[]>(page, 'northbound_getGrants')).result
      expect(grants?.map(({ grantId }) => grantId)).toEqual([grant?.grantId])
      const words = (scope = '') => scope.split(' ').sort()
      expect(words(grants?.[0]?.apis[0]?.scope)).toEqual(words(wider?.scope))
    },
  )
})
