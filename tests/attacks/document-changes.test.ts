/**
 * Tests documents that are not in front of the user, or not any more: left for another origin, in the
 * back/forward cache, prerendered, or still open after a reload of the extension.
 *
 * Seen to fail when:
 * - answers go to the newest port of a tab, and the calls of a document that was left are not aborted (B22, an
 *   answer: a call of the next document gets it);
 * - events go to every tab and the content script does not compare their origin (B22, news);
 * - the calls of a document that enters the cache are not settled (B23; in Firefox also when they are not
 *   settled again when the document returns);
 * - any frame, of a document in any state, may make calls (B23, prerendered: one of the two checks would be
 *   sufficient);
 * - an invalidated extension context is not detected (L12).
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { describe, expect, onTestFinished } from 'vitest'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import {
  ERROR_CODE,
  type FetchResult,
  type Grant,
  type Provider,
} from '../../shared/messages/page-api.ts'
import { BROWSER, test } from '../browser/fixtures.ts'
import { subscriptionsUrl } from '../browser/support/api-calls.ts'
import { startApplication } from '../browser/support/application.ts'
import { useDeveloperMode } from '../browser/support/extensions-page.ts'
import { connectQuickly } from '../browser/support/known-subscriber.ts'
import { addressOf, openPage, pagesAt, until } from '../browser/support/pages.ts'
import { call, openScreen, type Stage } from '../browser/support/stage.ts'

/** Holds the responses to the next calls of the API until they are released. */
function holdApi({ network: { faults } }: Stage, times: number) {
  const server = 'api-exposing-functions'
  const id = faults.add({ server, times, action: { type: 'hold', before: 'processing' } })
  const release = () => faults.remove(id)
  onTestFinished(() => void release())
  return {
    isReached: () => until('the calls', async () => faults.find(id)?.applied === times),
    release,
  }
}

/** More calls than a document makes before it is left, and fewer than a browser's connections to a server. */
const OTHER_CALLS = 4

/** Adds an origin to the application that the built extension's operators know. */
async function addOrigin(folder: string, origin: string): Promise<void> {
  const file = join(folder, 'demo-operators.json')
  const operators: OperatorProfile[] = JSON.parse(await readFile(file, 'utf8'))
  for (const { applications = [] } of operators) {
    for (const { origins } of applications) origins.push(origin)
  }
  await writeFile(file, JSON.stringify(operators))
}

const askToReload = (screen: Page) =>
  screen.evaluate(() => {
    const { chrome } = window as unknown as { chrome: { runtime: { reload(): void } } }
    chrome.runtime.reload()
  })

describe('a document that is left', () => {
  const knownTest = test
    .extend('elsewhere', async ({ browserName: _ }, { onCleanup }) => {
      const application = await startApplication()
      onCleanup(() => application.close())
      return application
    })
    // The operator knows the application on both origins.
    .extend('options', ({ elsewhere }) => ({
      prepareExtension: (folder: string) => addOrigin(folder, elsewhere.origin),
    }))

  knownTest(
    'B22: an answer that comes after the page has gone elsewhere reaches nobody',
    async ({ stage, page, granted, elsewhere }) => {
      const { log } = stage.network
      const other = await openPage(stage.browser, elsewhere.origin)
      const { result: grantElsewhere } = await connectQuickly(stage, other)
      await other.close()
      const url = subscriptionsUrl(granted)

      const first = holdApi(stage, 1)
      const completed = new Promise((resolve) => log.onCompleted(resolve))
      await page.evaluate((target) => {
        void window.call('northbound_fetch', { url: target })
      }, url)
      await first.isReached()
      await page.goto(elsewhere.origin)
      // Calls that wait too, and have the same numbers as the call of the document that was left.
      const others = holdApi(stage, OTHER_CALLS)
      const urls = Array.from({ length: OTHER_CALLS }, (_, index) => `${url}?call=${index}`)
      await page.evaluate(
        (targets, grantId) => {
          for (const target of targets)
            void window.call('northbound_fetch', { url: target, grantId })
        },
        urls,
        grantElsewhere?.grantId,
      )
      await others.isReached()
      first.release()
      await completed
      // Barrier: this answer arrives over the same port as earlier messages.
      expect((await call(page, 'broker_getInfo')).error).toBeUndefined()
      expect(await page.evaluate(() => window.seen)).toEqual([
        expect.objectContaining({ protocol: '1' }),
      ])
      others.release()
      const answered = () =>
        page.evaluate(() => window.seen.slice(1).map((outcome) => (outcome as FetchResult).url))
      await expect.poll(async () => (await answered()).sort()).toEqual(urls)
    },
  )

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
    const api = holdApi(stage, 1)
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
