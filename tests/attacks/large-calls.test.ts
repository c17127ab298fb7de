/**
 * A11f: many calls with large bodies do not fill the memory of the broker. What exceeds the limits of an origin
 * is told to the page, what waits gets its turn, and small calls are served meanwhile.
 *
 * Seen to fail when `answerCall` does not count the octets of messages (all requests reach the API), and when
 * `sendCall` takes no slot (more calls than slots are at the API).
 */

import { describe, expect } from 'vitest'
import type { FetchResult, Provider, ProviderErrorObject } from '../../shared/messages/page-api.ts'
import { test as base } from '../browser/fixtures.ts'
import { subscriptionsUrl } from '../browser/support/api-calls.ts'
import { call } from '../browser/support/stage.ts'
import { addApiFault, apiRequests, SUBSCRIPTIONS } from '../browser/support/subscriptions.ts'

/** The API is held until all messages have arrived. */
const test = base.extend('options', { limits: { API_CALL_TIMEOUT_MS: 120_000 } })

/** Messages of 5 MiB take their time on a loaded machine. */
const LOADED = { timeout: 40_000 }

describe('A11f: calls with large bodies', () => {
  test('30 requests of 5 MiB: some reach the API, the others are rate_limited at once', async ({
    stage,
    page,
    granted,
  }) => {
    const { faults, log } = stage.network
    const action = { type: 'hold', before: 'processing' } as const
    const hold = faults.add({ method: 'POST', path: SUBSCRIPTIONS, action })
    await page.evaluate((url) => {
      const { provider } = window.detail as { provider: Provider }
      const rejected: number[] = []
      const send = async () => {
        const body = new ArrayBuffer(5 * 1024 * 1024)
        const params = { url, method: 'POST', body }
        try {
          const result = await provider.request({ method: 'northbound_fetch', params })
          return (result as FetchResult).status
        } catch (error) {
          const { code } = error as ProviderErrorObject
          if (code === 4290) rejected.push(code)
          return code
        }
      }
      Object.assign(window, { rejected, calls: Array.from({ length: 30 }, send) })
    }, subscriptionsUrl(granted))
    const countRejected = () =>
      page.evaluate(() => (window as unknown as { rejected: number[] }).rejected.length)
    await expect.poll(countRejected, LOADED).toBe(18)
    // The browser has no connection left for another call of this API: its own limit is six.
    expect((await call(page, 'northbound_getGrants')).result).toEqual([granted])
    faults.remove(hold)
    const codes = await page.evaluate(() =>
      Promise.all((window as unknown as { calls: Promise<number>[] }).calls),
    )
    expect(codes.filter((code) => code === 4290)).toHaveLength(18)
    expect(log.filter({ method: 'POST', path: SUBSCRIPTIONS })).toHaveLength(12)
  })

  test('40 responses of 5 MiB: a limited number of calls at once, and all of them arrive', async ({
    stage,
    page,
    granted,
  }) => {
    const { faults } = stage.network
    const bytes = 5 * 1024 * 1024
    addApiFault(stage, { type: 'body', body: 'x'.repeat(bytes) })
    const hold = faults.add({ path: SUBSCRIPTIONS, action: { type: 'hold', before: 'answering' } })
    const url = subscriptionsUrl(granted)
    const answers = page.evaluate(async (address) => {
      const { provider } = window.detail as { provider: Provider }
      const lengths = Array.from({ length: 40 }, async (_, i) => {
        const params = { url: `${address}?n=${i}` }
        const result = await provider.request({ method: 'northbound_fetch', params })
        return (result as FetchResult).body.byteLength
      })
      return Promise.all(lengths)
    }, url)
    // A browser opens six connections to a server, and queues the other requests itself.
    await expect.poll(() => apiRequests(stage).length).toBeGreaterThan(0)
    expect(apiRequests(stage).length).toBeLessThanOrEqual(32)
    faults.remove(hold)
    expect(new Set(await answers)).toEqual(new Set([bytes]))
  })
})
