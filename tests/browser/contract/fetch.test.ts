/**
 * Tests section 2 of the contract: `northbound_fetch`, with every parameter and the exact shape of its
 * result. `tests/browser/fetch.test.ts` and `tests/attacks` test it against attackers.
 *
 * Seen to fail when:
 * - `statusText` is missing in the result;
 * - `grantId` is ignored;
 * - `interactive` is always treated as `ifNeeded`;
 * - the request to the API is made without the signal of its call (the abort).
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { LogEntry } from '../../../demo-site/network/index.ts'
import type { FetchParams, FetchResult, Provider } from '../../../shared/messages/page-api.ts'
import { test as base } from '../fixtures.ts'
import { subscriptionsUrl } from '../support/api-calls.ts'
import { PAGE_FOR_PEOPLE, REFRESH_REFUSED } from '../support/need-the-user.ts'
import { until } from '../support/pages.ts'
import { type Called, call, gesture } from '../support/stage.ts'
import { addApiFault, apiRequests, SUBSCRIPTIONS, subscription } from '../support/subscriptions.ts'
import { windowsOpenedBy } from '../support/windows.ts'

const MIB = 1024 * 1024

/** A page that has a grant for the API at `url`. */
const test = base
  .extend('url', ({ granted }) => subscriptionsUrl(granted))
  .extend('fetchIt', ({ page, url }) => {
    return (params: Partial<FetchParams> = {}): Promise<Called<FetchResult>> =>
      call(page, 'northbound_fetch', { url, ...params })
  })
/** An ID token identifies the subscriber, so that the broker tries a silent authorization before a window. */
const identifiedTest = test.extend('options', { operator: { openid: 'required' } })

/**
 * Returns the response with the length and the digest of its body. The driver cannot transfer the body
 * itself.
 */
const digestedFetch = (page: Page, params: FetchParams) =>
  page.evaluate(async (given) => {
    const { result, error } = (await window.call('northbound_fetch', given)) as {
      result?: FetchResult
      error?: { code: number }
    }
    if (!result) return { error }
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', result.body))
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    return {
      status: result.status,
      isBuffer: result.body instanceof ArrayBuffer,
      length: result.body.byteLength,
      hex,
    }
  }, params)

describe('the request that northbound_fetch makes', () => {
  test('northbound_fetch: method, headers and a string as body go out', async ({
    stage,
    fetchIt,
  }) => {
    const { result } = await fetchIt({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-correlator': 'c-1' },
      body: subscription(),
    })
    expect(result?.status).toBe(201)
    const [request] = apiRequests(stage)
    expect(request).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-correlator': 'c-1' },
    })
    expect(request?.body).toEqual(JSON.parse(subscription()))
  })

  test('northbound_fetch: an ArrayBuffer goes out as the very bytes it is', async ({
    stage,
    page,
    url,
  }) => {
    const text = subscription('x'.repeat(60))
    const bytes = [...new TextEncoder().encode(text)]
    const outcome = await page.evaluate(
      (address, body) =>
        window.call('northbound_fetch', {
          url: address,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: new Uint8Array(body).buffer,
        }),
      url,
      bytes,
    )
    expect(outcome).toMatchObject({ result: { status: 201 } })
    const [request] = apiRequests(stage)
    expect(request?.headers['content-length']).toBe(String(bytes.length))
    expect(request?.body).toEqual(JSON.parse(text))
  })

  test('northbound_fetch: grantId names the grant', async ({ stage, granted, fetchIt }) => {
    const { grantId } = granted
    expect((await fetchIt({ grantId })).result?.status).toBe(200)
    const { error } = await fetchIt({ grantId: crypto.randomUUID() })
    expect(error).toMatchObject({ code: 4100 })
    expect(apiRequests(stage)).toHaveLength(1)
  })

  test('northbound_fetch: only under a granted resource, with a method that the API allows', async ({
    stage,
    fetchIt,
  }) => {
    const { apisOrigin } = stage.network
    const otherUrl = `${apisOrigin}/3gpp-monitoring-event/v1/cloud-gaming/subscriptions`
    expect((await fetchIt({ url: otherUrl })).error).toMatchObject({ code: 4100 })
    expect((await fetchIt({ method: 'TRACE' })).error).toMatchObject({ code: -32602 })
    expect((await fetchIt({ body: 'x' })).error).toMatchObject({ code: -32602 })
    expect(apiRequests(stage)).toEqual([])
  })

  test('northbound_fetch: a body of more than 5 MiB is not sent, counted in bytes', async ({
    stage,
    page,
    url,
  }) => {
    const outcomes = await page.evaluate(async (address) => {
      const common = { url: address, method: 'POST', headers: { 'content-type': 'text/plain' } }
      const bodies = [new ArrayBuffer(5 * 2 ** 20 + 1), 'é'.repeat(2.5 * 2 ** 20 + 1)]
      return Promise.all(bodies.map((body) => window.call('northbound_fetch', { ...common, body })))
    }, url)
    for (const outcome of outcomes) expect(outcome).toMatchObject({ error: { code: -32602 } })
    expect(apiRequests(stage)).toEqual([])
  })

  test('northbound_fetch: an abort reaches the API', async ({ stage, page, url }) => {
    addApiFault(stage, { type: 'hang' })
    const closed: LogEntry[] = []
    stage.network.log.onCompleted((entry) => closed.push(entry))
    await page.evaluate((address) => {
      const { provider } = window.detail as { provider: Provider }
      const controller = new AbortController()
      const { signal } = controller
      const params = { url: address }
      const calling = provider.request({ method: 'northbound_fetch', params, signal })
      Object.assign(window, {
        abort: () => {
          controller.abort()
          return calling.catch((error: Error) => error.name)
        },
      })
    }, url)
    const request = await until('the request', async () => apiRequests(stage)[0])
    const outcome = await page.evaluate(() =>
      (window as unknown as { abort(): Promise<unknown> }).abort(),
    )
    expect(outcome).toBe('AbortError')
    // The API never answers. The browser has closed the connection before the time limit could.
    await until('the end of the connection', async () => closed.includes(request))
    expect(request.status).toBeUndefined()
  })
})

describe('the result of northbound_fetch', () => {
  test('northbound_fetch: url alone is a GET, and the result has its five members', async ({
    stage,
    page,
    url,
  }) => {
    const body = '{"it":"works"}'
    const headers = { 'content-type': 'application/json', etag: '"7"', 'x-internal': 'x' }
    addApiFault(stage, { type: 'status', status: 200, body, headers })
    const result = await page.evaluate(async (address) => {
      const { result } = (await window.call('northbound_fetch', { url: address })) as {
        result: FetchResult
      }
      const kind = Object.prototype.toString.call(result.body)
      return { ...result, body: new TextDecoder().decode(result.body), kind }
    }, url)
    expect(result).toStrictEqual({
      url,
      status: 200,
      statusText: 'OK',
      headers: expect.arrayContaining([
        ['content-type', 'application/json'],
        ['etag', '"7"'],
      ]),
      body,
      kind: '[object ArrayBuffer]',
    })
    expect(result.headers.map(([header]) => header)).not.toContain('x-internal')
    const [request] = apiRequests(stage)
    expect(request).toMatchObject({ method: 'GET', path: SUBSCRIPTIONS })
    expect(request?.headers).not.toHaveProperty('cookie')
  })

  test('northbound_fetch: a redirect is refused', async ({ stage, fetchIt }) => {
    addApiFault(stage, { type: 'redirect', location: `${stage.application.origin}/elsewhere` })
    expect((await fetchIt()).error).toMatchObject({ code: 4300 })
    expect(stage.application.requests.join()).not.toContain('/elsewhere')
  })

  test('northbound_fetch: 1 MiB comes back whole, as an ArrayBuffer', async ({
    stage,
    page,
    url,
  }) => {
    const body = 'northkey'.repeat(MIB / 8)
    addApiFault(stage, { type: 'body', body, contentType: 'text/plain' })
    expect(await digestedFetch(page, { url })).toEqual({
      status: 200,
      isBuffer: true,
      length: MIB,
      hex: createHash('sha256').update(body).digest('hex'),
    })
  })

  test('northbound_fetch: 5 MiB come back, and a byte more does not', async ({
    stage,
    page,
    url,
  }) => {
    const answer = (bytes: number, times?: number) =>
      addApiFault(
        stage,
        { type: 'body', body: 'x'.repeat(bytes), contentType: 'text/plain' },
        times,
      )
    answer(5 * MIB, 1)
    answer(5 * MIB + 1)
    expect(await digestedFetch(page, { url })).toMatchObject({ status: 200, length: 5 * MIB })
    expect(await digestedFetch(page, { url })).toMatchObject({ error: { code: 4300 } })
  })
})

describe('northbound_fetch where the user would have to sign in', () => {
  identifiedTest(
    'northbound_fetch: a window opens with interactive ifNeeded and a gesture, and not else',
    async ({ stage, page, fetchIt }) => {
      stage.network.faults.add(REFRESH_REFUSED)
      for (const interactive of [undefined, 'never', 'ifNeeded'] as const) {
        addApiFault(stage, { type: 'status', status: 401 }, 1)
        stage.network.faults.add(PAGE_FOR_PEOPLE)
        await gesture(page)
        let outcome: Called<FetchResult> | undefined
        const windows = await windowsOpenedBy(stage, async () => {
          outcome = await fetchIt(interactive ? { interactive } : {})
        })
        stage.network.faults.clear()
        if (interactive === 'ifNeeded') {
          expect([windows, outcome?.result?.status]).toEqual([1, 200])
        } else {
          expect([windows, outcome?.error?.code]).toEqual([0, 4210])
        }
      }
    },
  )
})
