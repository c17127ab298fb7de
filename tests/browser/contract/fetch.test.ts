/**
 * Section 2 of the contract: `northbound_fetch`, with every parameter and the exact shape of its
 * result. What attackers try with it is in `tests/browser/fetch.test.ts` and `tests/attacks`.
 *
 * Seen to fail when: `statusText` is missing in the result; `grantId` is not looked at; `interactive`
 * counts as `ifNeeded`.
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FaultAction, LogEntry } from '../../../demo-site/network/index.ts'
import type {
  FetchParams,
  FetchResult,
  Grant,
  Provider,
} from '../../../shared/messages/page-api.ts'
import { gesture, startQuietStage } from '../support/known-subscriber.ts'
import { PAGE_FOR_PEOPLE, REFRESH_REFUSED } from '../support/need-the-user.ts'
import { BROWSERS, type Called, call, type Stage } from '../support/stage.ts'
import { windowsOpenedBy } from '../support/windows.ts'

const MIB = 1024 * 1024
const SUBSCRIPTIONS = '/3gpp-as-session-with-qos/v1/cloud-gaming/subscriptions'

const subscription = (notes = '') =>
  JSON.stringify({
    notificationDestination: `https://unused.invalid/${notes}`,
    qosReference: 'QOS_L',
    flowInfo: [{ flowId: 1, flowDescriptions: ['permit in ip from any to any'] }],
  })

describe.each(BROWSERS)('in %s, northbound_fetch', (name) => {
  let stage: Stage
  let page: Page
  let url: string
  let grantId: string

  beforeAll(async () => {
    ;({ stage, page } = await startQuietStage(name))
    await gesture(page)
    const { result, error } = await call<Grant>(page, 'northbound_connect', stage.wish())
    expect(error).toBeUndefined()
    grantId = result?.grantId ?? ''
    url = stage.network.apisOrigin + SUBSCRIPTIONS
  })
  afterAll(() => stage?.close())

  beforeEach(() => stage.network.log.clear())
  afterEach(() => stage.network.faults.clear())

  const sent = (): LogEntry[] => stage.network.log.filter({ server: 'api-exposing-functions' })

  const whenCalled = (action: FaultAction, times?: number) =>
    stage.network.faults.add({
      server: 'api-exposing-functions',
      path: SUBSCRIPTIONS,
      action,
      ...(times === undefined ? {} : { times }),
    })

  const fetchIt = (more: Partial<FetchParams> = {}): Promise<Called<FetchResult>> =>
    call(page, 'northbound_fetch', { url, ...more })

  /** The answer with the length and the digest of its body, which the driver would not carry. */
  const digested = (params: FetchParams) =>
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

  test('northbound_fetch: url alone is a GET, and the result has its five members', async () => {
    const body = '{"it":"works"}'
    const action = { type: 'status', status: 200, body } as const
    const headers = { 'content-type': 'application/json', etag: '"7"', 'x-internal': 'x' }
    whenCalled({ ...action, headers })
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
    expect(sent()).toMatchObject([{ method: 'GET', path: SUBSCRIPTIONS }])
    expect(sent()[0]?.headers).not.toHaveProperty('cookie')
  })

  test('northbound_fetch: method, headers and a string as body go out', async () => {
    const { result } = await fetchIt({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-correlator': 'c-1' },
      body: subscription(),
    })
    expect(result?.status).toBe(201)
    expect(sent()).toMatchObject([
      { method: 'POST', headers: { 'content-type': 'application/json', 'x-correlator': 'c-1' } },
    ])
    expect(sent()[0]?.body).toEqual(JSON.parse(subscription()))
  })

  test('northbound_fetch: an ArrayBuffer goes out as the very bytes it is', async () => {
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
    expect(sent()[0]?.headers['content-length']).toBe(String(bytes.length))
    expect(sent()[0]?.body).toEqual(JSON.parse(text))
  })

  test('northbound_fetch: grantId names the grant', async () => {
    expect((await fetchIt({ grantId })).result?.status).toBe(200)
    expect((await fetchIt({ grantId: crypto.randomUUID() })).error).toMatchObject({
      code: 4100,
    })
    expect(sent()).toHaveLength(1)
  })

  test('northbound_fetch: only under a granted resource, with a method that the API allows', async () => {
    const { apisOrigin } = stage.network
    const other = `${apisOrigin}/3gpp-monitoring-event/v1/cloud-gaming/subscriptions`
    expect((await fetchIt({ url: other })).error).toMatchObject({ code: 4100 })
    expect((await fetchIt({ method: 'TRACE' })).error).toMatchObject({ code: -32602 })
    expect((await fetchIt({ body: 'x' })).error).toMatchObject({ code: -32602 })
    expect(sent()).toEqual([])
  })

  test('northbound_fetch: a redirect is refused', async () => {
    whenCalled({ type: 'redirect', location: `${stage.application.origin}/elsewhere` })
    expect((await fetchIt()).error).toMatchObject({ code: 4300 })
    expect(stage.application.requests.join()).not.toContain('/elsewhere')
  })

  test('northbound_fetch: 1 MiB comes back whole, as an ArrayBuffer', async () => {
    const body = 'northkey'.repeat(MIB / 8)
    whenCalled({ type: 'body', body, contentType: 'text/plain' })
    expect(await digested({ url })).toEqual({
      status: 200,
      isBuffer: true,
      length: MIB,
      hex: createHash('sha256').update(body).digest('hex'),
    })
  })

  test('northbound_fetch: 5 MiB come back, and a byte more does not', async () => {
    whenCalled({ type: 'body', body: 'x'.repeat(5 * MIB), contentType: 'text/plain' }, 1)
    whenCalled({ type: 'body', body: 'x'.repeat(5 * MIB + 1), contentType: 'text/plain' })
    expect(await digested({ url })).toMatchObject({ status: 200, length: 5 * MIB })
    expect(await digested({ url })).toMatchObject({ error: { code: 4300 } })
  })

  test('northbound_fetch: a body of more than 5 MiB is not sent, counted in bytes', async () => {
    const outcomes = await page.evaluate(async (address) => {
      const common = { url: address, method: 'POST', headers: { 'content-type': 'text/plain' } }
      return [
        await window.call('northbound_fetch', {
          ...common,
          body: new ArrayBuffer(5 * 2 ** 20 + 1),
        }),
        await window.call('northbound_fetch', { ...common, body: 'é'.repeat(2.5 * 2 ** 20 + 1) }),
      ]
    }, url)
    for (const outcome of outcomes) expect(outcome).toMatchObject({ error: { code: -32602 } })
    expect(sent()).toEqual([])
  })

  test('northbound_fetch: an abort reaches the API', async () => {
    whenCalled({ type: 'hang' })
    const closed = new Promise<void>((resolve) => {
      const end = Date.now() + 10_000
      const look = setInterval(() => {
        if (sent().length === 1 || Date.now() > end) {
          clearInterval(look)
          resolve()
        }
      }, 20)
    })
    const outcome = page.evaluate(async (address) => {
      const { provider } = window.detail as { provider: Provider }
      const controller = new AbortController()
      const calling = provider.request({
        method: 'northbound_fetch',
        params: { url: address },
        signal: controller.signal,
      })
      setTimeout(() => controller.abort(), 500)
      const begun = performance.now()
      return calling.then(
        () => 'answered',
        (error: Error) => `${error.name} ${performance.now() - begun < 5_000}`,
      )
    }, url)
    await closed
    expect(await outcome).toBe('AbortError true')
    // The broker is free at once: it does not wait for its own time limit.
    stage.network.faults.clear()
    expect((await fetchIt()).result?.status).toBe(200)
  })

  test('northbound_fetch: a window opens with interactive ifNeeded and a gesture, and not else', async () => {
    stage.network.faults.add(REFRESH_REFUSED)
    for (const interactive of [undefined, 'never', 'ifNeeded'] as const) {
      whenCalled({ type: 'status', status: 401 }, 1)
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
  })
})
