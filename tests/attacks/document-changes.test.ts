/**
 * Tests documents that are not in front of the user, or not any more: left for another origin, in the
 * back/forward cache, prerendered, or still open after a reload of the extension.
 *
 * Seen to fail when:
 * - events go to every tab and the content script does not compare their origin (B22);
 * - the calls of a document that enters the cache are not settled (B23; in Firefox also when they are not
 *   settled again when the document returns);
 * - any frame, of a document in any state, may make calls (B23, prerendered: one of the two checks would be
 *   sufficient);
 * - an invalidated extension context is not detected (L12).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect, onTestFinished } from 'vitest'
import {
  ERROR_CODE,
  type FetchResult,
  type Grant,
  type Provider,
} from '../../shared/messages/page-api.ts'
import { BROWSER, test } from '../browser/fixtures.ts'
import { subscriptionsUrl } from '../browser/support/api-calls.ts'
import { useDeveloperMode } from '../browser/support/extensions-page.ts'
import { addressOf, pagesAt, until } from '../browser/support/pages.ts'
import { call, openScreen, type Stage } from '../browser/support/stage.ts'

/** Holds the responses of the API until they are released. */
function holdApi({ network: { faults } }: Stage) {
  const server = 'api-exposing-functions'
  const id = faults.add({ server, action: { type: 'hold', before: 'processing' } })
  const release = () => faults.remove(id)
  onTestFinished(() => void release())
  return {
    isReached: () => until('the call', async () => faults.find(id)?.applied === 1),
    release,
  }
}

const askToReload = (screen: Page) =>
  screen.evaluate(() => {
    const { chrome } = window as unknown as { chrome: { runtime: { reload(): void } } }
    chrome.runtime.reload()
  })

describe('a document that is left', () => {
  test('B22: an answer that comes after the page has gone elsewhere reaches nobody', async ({
    stage,
    page,
    granted,
    strangerApplication,
  }) => {
    const api = holdApi(stage)
    const completed = new Promise((resolve) => stage.network.log.onCompleted(resolve))
    await page.evaluate((url) => {
      void window.call('northbound_fetch', { url })
    }, subscriptionsUrl(granted))
    await api.isReached()
    await page.goto(strangerApplication.origin)
    await page.evaluate(() => window.broker())
    api.release()
    await completed
    // Barrier: this answer arrives over the same port as earlier messages.
    expect((await call(page, 'broker_getInfo')).error).toBeUndefined()
    expect(await page.evaluate(() => window.seen)).toEqual([
      expect.objectContaining({ protocol: '1' }),
    ])
  })

  test('B22: news of one origin’s grants reaches no document of another', async ({
    page,
    granted,
    stranger,
  }) => {
    for (const document of [page, stranger]) {
      await document.evaluate(async () => {
        await window.broker()
        window.seen.length = 0
        const { provider } = window.detail as { provider: Provider }
        for (const event of ['grantsChanged', 'grantRevoked'] as const) {
          provider.on(event, () => window.seen.push(event))
        }
      })
    }
    await call(page, 'northbound_revoke', { grantId: granted.grantId })
    await expect
      .poll(() => page.evaluate(() => window.seen))
      .toEqual(expect.arrayContaining(['grantRevoked', 'grantsChanged']))
    // Barrier: the broker's next message to the stranger arrives after the events.
    await call(stranger, 'broker_getInfo')
    expect(await stranger.evaluate(() => window.seen)).toEqual([
      expect.objectContaining({ protocol: '1' }),
    ])
  })

  test('B23: a document that comes back from the back/forward cache finds its call settled', async ({
    stage,
    page,
    granted,
    strangerApplication,
  }) => {
    const api = holdApi(stage)
    await page.evaluate((url) => {
      window.addEventListener('pageshow', ({ persisted }) => window.seen.push({ persisted }))
      void window.call('northbound_fetch', { url })
    }, subscriptionsUrl(granted))
    await api.isReached()
    await page.goto(strangerApplication.origin)
    await page.evaluate(() => history.back()).catch(() => {})
    await until('the page again', async () =>
      (await addressOf(page)).startsWith(stage.application.origin),
    )
    // Control: this is the document that was left, and the API has not answered yet.
    await expect
      .poll(() => page.evaluate(() => window.seen))
      .toEqual(
        expect.arrayContaining([
          { persisted: true },
          expect.objectContaining({ code: ERROR_CODE.unreachable }),
        ]),
      )
    api.release()
    const url = subscriptionsUrl(granted)
    expect((await call<FetchResult>(page, 'northbound_fetch', { url })).result?.status).toBe(200)
  })
})

// Firefox prerenders no documents.
if (BROWSER === 'chromium') {
  describe('a document that the user does not see yet', () => {
    test('B23: a prerendered document gets nothing and opens nothing until the user is there', async ({
      stage,
      granted,
    }) => {
      const calls = [
        ['northbound_getGrants', {}],
        ['northbound_fetch', { url: subscriptionsUrl(granted) }],
        ['northbound_connect', stage.wish()],
        ['northbound_revoke', {}],
      ]
      stage.application.routes.set('/ahead', {
        html: `<script>
          const ahead = document.prerendering
          const calling = ${JSON.stringify(calls)}.map(([method, params]) => call(method, params))
          Promise.all(calling).then((outcomes) => {
            const codes = outcomes.map(({ error }) => error?.code)
            fetch('/report?' + JSON.stringify({ ahead, still: document.prerendering, codes }))
          })
        </script>`,
      })
      const rules = { prerender: [{ source: 'list', urls: ['/ahead'], eagerness: 'immediate' }] }
      stage.application.routes.set('/before', {
        html: `<script type="speculationrules">${JSON.stringify(rules)}</script><a href="/ahead">On</a>`,
      })
      stage.network.log.clear()
      const before = await stage.open('/before')
      const report = await until('the report', async () =>
        stage.application.requests.find((request) => request.startsWith('GET /report?')),
      )
      expect(JSON.parse(decodeURIComponent(report.split('?')[1] ?? ''))).toEqual({
        ahead: true,
        still: true,
        codes: calls.map(() => ERROR_CODE.forbiddenContext),
      })
      expect(await pagesAt(stage.browser, stage.network.issuer)).toEqual([])
      expect(stage.network.log.entries).toEqual([])

      await before.click('a')
      // The document may change during the evaluation.
      await until('the user', () =>
        before.evaluate(() => location.pathname === '/ahead').catch(() => false),
      )
      const shown = await before.evaluate(async () => {
        const [entry] = performance.getEntriesByType('navigation')
        const { activationStart } = entry as PerformanceEntry & { activationStart: number }
        return { activationStart, seen: window.seen.length }
      })
      expect(shown).toEqual({ activationStart: expect.any(Number), seen: calls.length })
      expect(shown.activationStart).toBeGreaterThan(0)
      expect((await call<Grant[]>(before, 'northbound_getGrants')).result).toHaveLength(1)
    })
  })
}

describe('a document that outlives the extension', () => {
  test('L12: the extension is reloaded: the old page is told, and what it asks ends with 4900', async ({
    stage,
    page,
  }) => {
    if (BROWSER === 'chromium') await useDeveloperMode(stage)
    await page.evaluate(async () => {
      await window.broker()
      const { provider } = window.detail as { provider: Provider }
      provider.on('disconnect', () => window.seen.push('disconnected'))
    })
    expect((await call(page, 'northbound_getGrants')).error).toBeUndefined()
    const screen = await openScreen(stage)
    // The reload of the extension closes the screen.
    void askToReload(screen).catch(() => {})
    await until('the news', () => page.evaluate(() => window.seen.includes('disconnected')), 20_000)
    expect((await call(page, 'northbound_getGrants')).error).toMatchObject({
      code: ERROR_CODE.brokerGone,
      data: { error: 'broker_gone' },
    })
  })
})
