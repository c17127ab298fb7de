/**
 * Tests many concurrent calls: rate limiting of a flood, deduplication of equal calls, an answer for each
 * caller.
 *
 * Seen to fail when the rate limit is off (B21), when the callers of a deduplicated call share a single
 * object, when the first abort ends a deduplicated call (X04), and when the log keeps the operator and the
 * APIs of a refused call (A06: 500 entries).
 */

import { describe, expect } from 'vitest'
import type {
  FetchResult,
  Grant,
  Provider,
  ProviderErrorObject,
  RequestArguments,
} from '../../shared/messages/page-api.ts'
import type { LogEntry } from '../../shared/messages/screen-channel.ts'
import { test } from '../browser/fixtures.ts'
import { expectServed, subscriptionsUrl } from '../browser/support/api-calls.ts'
import { askBackground } from '../browser/support/sites-stage.ts'
import { openScreen } from '../browser/support/stage.ts'

describe('many concurrent calls', () => {
  test('B21: a flood is cut off, and another origin is served meanwhile', async ({
    page,
    granted,
    stranger,
  }) => {
    await stranger.evaluate(() => window.broker())
    const flooding = stranger.evaluate(async () => {
      const { provider } = window.detail as { provider: Provider }
      const codes = await Promise.all(
        Array.from({ length: 5_000 }, (_, i) =>
          provider
            .request({ method: 'northbound_getAccessToken', params: { grantId: `g-${i}` } })
            .catch((error: ProviderErrorObject) => error.code),
        ),
      )
      return [...new Set(codes)].sort()
    })
    await expectServed(page, granted)
    expect(await flooding).toEqual([4100, 4290])
    await expectServed(page, granted)
  })

  test('A06: refused calls push nothing out of the log, and leave nothing there that the page chose', async ({
    stage,
    granted,
    stranger,
  }) => {
    await stranger.evaluate(() => window.broker())
    const wish = stage.wish()
    await stranger.evaluate(async (params) => {
      const { provider } = window.detail as { provider: Provider }
      await Promise.allSettled(
        Array.from({ length: 500 }, (_, i) => {
          const apis = params.apis.map((api) => ({ ...api, purpose: `a text of the page ${i}` }))
          const reason = `a reason of the page ${i}`
          const call = { method: 'northbound_connect', params: { ...params, apis, reason } }
          return provider.request(call as RequestArguments)
        }),
      )
    }, wish)
    const entries = await askBackground<LogEntry[]>(await openScreen(stage), 'readLog', {})
    const refused = entries.filter(({ event }) => event === 'refusal')
    expect(refused.reduce((sum, { times = 1 }) => sum + times, 0)).toBeGreaterThanOrEqual(500)
    expect(refused.length).toBeLessThan(10)
    expect(JSON.stringify(refused)).not.toMatch(/of the page|purpose|apis|issuer/)
    expect(entries.map(({ event }) => event)).toContain('grant')
    expect(entries.find(({ event }) => event === 'grant')?.apis).toEqual(granted.apis)
  })

  test('equal calls at once go to the broker as one', async ({ page, granted }) => {
    expect(granted).toBeDefined()
    const counts = await page.evaluate(async () => {
      const { provider } = window.detail as { provider: Provider }
      const all = await Promise.all(
        Array.from({ length: 12_000 }, () => provider.request({ method: 'northbound_getGrants' })),
      )
      const lengths = new Set(all.map((grants) => (grants as Grant[]).length))
      return { lengths: [...lengths], own: new Set(all).size }
    })
    // More calls than the burst of the rate limit allows, and every caller gets its own answer.
    expect(counts).toEqual({ lengths: [1], own: 12_000 })
  })

  test('X04: of two equal calls one is given up, the other is answered', async ({ page }) => {
    const outcome = await page.evaluate(async () => {
      await window.broker()
      const { provider } = window.detail as { provider: Provider }
      const controller = new AbortController()
      const method = 'northbound_getGrants'
      const settled = Promise.allSettled([
        provider.request({ method, signal: controller.signal }),
        provider.request({ method }),
      ])
      controller.abort()
      return (await settled).map(({ status }) => status)
    })
    expect(outcome).toEqual(['rejected', 'fulfilled'])
  })

  test('B24: a hundred different calls at once each get their own answer', async ({
    page,
    granted,
  }) => {
    const matches = await page.evaluate(async (base) => {
      const { provider } = window.detail as { provider: Provider }
      const checks = Array.from({ length: 100 }, async (_, i) => {
        const url = `${base}?n=${i}`
        const request = { method: 'northbound_fetch', params: { url } }
        return ((await provider.request(request)) as FetchResult).url === url
      })
      return (await Promise.all(checks)).filter(Boolean).length
    }, subscriptionsUrl(granted))
    expect(matches).toBe(100)
  })
})
