/**
 * Tests the natural death of Firefox's event page within a second. A preference of Firefox sets the idle time
 * after which it stops an event page, and the test replaces the keep-alive interval to match. Chromium has no
 * such setting. `tests/real-time/natural-death.test.ts` tests both browsers in real time.
 *
 * Seen to fail when the content script sends no keep-alive (the worker ends while the window is open).
 */

import { describe, expect, onTestFinished, test } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { BROWSER } from './fixtures.ts'
import { expectServed } from './support/api-calls.ts'
import { openHost } from './support/browser-host.ts'
import { connectQuickly } from './support/known-subscriber.ts'
import { pageAt, until } from './support/pages.ts'
import { answerConsent, call, gesture, signIn, startStage, tokenRequests } from './support/stage.ts'
import { watchWorker, workersAround } from './support/worker-life.ts'

const IDLE_MS = 1_000

async function startShortLives(requireConsent: boolean) {
  const preferences = { 'extensions.background.idle.timeout': IDLE_MS }
  const host = await openHost('firefox', { preferences })
  onTestFinished(() => host.close())
  const stage = await startStage(host, { requireConsent, limits: { KEEP_ALIVE_MS: IDLE_MS / 4 } })
  onTestFinished(() => stage.close())
  return { stage, worker: await watchWorker(stage), page: await stage.open() }
}

describe.runIf(BROWSER === 'firefox')('an event page that may be idle for a second', () => {
  test('L08: lives as long as the user looks at a window, and the call is answered', async () => {
    const { stage, worker, page } = await startShortLives(true)
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await pageAt(stage.browser, '/ui/consent/')
    const [first, last] = await workersAround(worker, 3 * IDLE_MS)
    expect(first).toBeDefined()
    expect(last).toBe(first)
    await answerConsent(stage, 'allow')
    await signIn(stage)
    expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('L08: ends when nothing is asked, and the next call wakes another, which has the token', async () => {
    const { stage, worker, page } = await startShortLives(false)
    const { result: granted } = await connectQuickly(stage, page)
    if (!granted) throw new Error('no grant')
    await until('its end', async () => (await worker.current()) === undefined)
    await expectServed(page, granted)
    expect(await worker.current()).toBeDefined()
    expect(tokenRequests(stage)).toHaveLength(1)
  })
})
