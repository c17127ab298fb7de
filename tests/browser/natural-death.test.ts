/**
 * A worker that has heard nothing for half a minute is stopped by its browser. No debugger is attached to
 * it here: one would keep it alive.
 *
 * Seen to fail when the content script does not say that it waits, or opens and closes a port in its
 * place (the worker ends behind the window), and when tokens are remembered without being written down
 * (the next worker has none).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FetchResult, Grant } from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { pageAt, until } from './support/pages.ts'
import {
  answerConsent,
  BROWSERS,
  call,
  type Stage,
  signIn,
  startStage,
  tokenRequests,
} from './support/stage.ts'
import { type WorkerLife, watchWorker } from './support/worker-life.ts'

const LONGER_THAN_A_WORKER_MS = 45_000

describe.each(BROWSERS)('in %s, a worker without a debugger', (name) => {
  let stage: Stage
  let worker: WorkerLife
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name)
    worker = await watchWorker(stage)
    page = await stage.open()
  })
  afterAll(() => stage?.close())

  /** Every worker that runs meanwhile, and `undefined` if there is a moment without one. */
  async function workersFor(ms: number): Promise<(string | undefined)[]> {
    const seen = new Set<string | undefined>()
    const end = Date.now() + ms
    while (Date.now() < end) {
      seen.add(await worker.current())
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return [...seen]
  }

  test('L08: it lives as long as the user looks at a window, and the call is answered', async () => {
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await pageAt(stage.browser, '/ui/consent/')
    const first = await worker.current()
    expect(first).toBeDefined()
    expect(await workersFor(LONGER_THAN_A_WORKER_MS)).toEqual([first])
    await answerConsent(stage, 'allow')
    await signIn(stage)
    expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
  }, 120_000)

  test('L08: it ends when nothing is asked, and the next call wakes another, which has the token', async () => {
    await until('its end', async () => (await worker.current()) === undefined, 60_000)
    const url = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
    const { result } = await call<FetchResult>(page, 'northbound_fetch', { url })
    expect(result?.status).toBe(200)
    expect(await worker.current()).toBeDefined()
    expect(tokenRequests(stage)).toHaveLength(1)
  }, 120_000)
})
