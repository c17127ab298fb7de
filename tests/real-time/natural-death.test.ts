/**
 * Tests the natural death of the worker: a browser stops a worker that has received no message for half a
 * minute. No debugger is attached to the worker here, since that would keep it alive.
 *
 * Seen to fail when the content script sends no keep-alive, or opens and closes a port instead (the worker
 * ends while the window is open), and when tokens are kept in memory only (the next worker has none).
 */

import { describe, expect } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { test } from '../browser/fixtures.ts'
import { expectServed } from '../browser/support/api-calls.ts'
import { pageAt, until } from '../browser/support/pages.ts'
import { answerConsent, call, gesture, signIn, tokenRequests } from '../browser/support/stage.ts'
import { watchWorker, workersAround } from '../browser/support/worker-life.ts'

const LONGER_THAN_A_WORKER_MS = 45_000

describe('a worker without a debugger', () => {
  const consentTest = test.extend('options', { requireConsent: true })

  consentTest(
    'L08: it lives as long as the user looks at a window, and the call is answered',
    async ({ stage, page }) => {
      const worker = await watchWorker(stage)
      await gesture(page)
      const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
      await pageAt(stage.browser, '/ui/consent/')
      const [first, last] = await workersAround(worker, LONGER_THAN_A_WORKER_MS)
      expect(first).toBeDefined()
      expect(last).toBe(first)
      await answerConsent(stage, 'allow')
      await signIn(stage)
      expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
      expect(tokenRequests(stage)).toHaveLength(1)
    },
    120_000,
  )

  test('L08: it ends when nothing is asked, and the next call wakes another, which has the token', async ({
    stage,
    page,
    granted,
  }) => {
    const worker = await watchWorker(stage)
    await until('its end', async () => (await worker.current()) === undefined, 60_000)
    await expectServed(page, granted)
    expect(await worker.current()).toBeDefined()
    expect(tokenRequests(stage)).toHaveLength(1)
  }, 120_000)
})
