/**
 * Windows that nobody wrote down: the worker stops between opening one and recording its tab, which no
 * request to a server marks. The worker that wakes up finds them by the address of the broker's own page
 * that they show.
 *
 * Seen to fail, with a window that stays, when the sign-in window opens at `about:blank`; when `resume`
 * does not close what a `preparing` flow has opened; when `settle` closes the recorded tab alone; and
 * when `isLeftWaiting` says no.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { gone, pageAt, until } from './support/pages.ts'
import {
  answerConsent,
  authorizationRequests,
  BROWSERS,
  call,
  databaseText,
  type Stage,
  signIn,
  startStage,
} from './support/stage.ts'
import { type WorkerSwitch, workerSwitch } from './support/worker.ts'

const CONSENT = '/ui/consent/'
const WAITING = '/icons/128.png'

describe.each(BROWSERS)('in %s, a worker that dies with a window just opened', (name) => {
  let stage: Stage
  let page: Page
  let worker: WorkerSwitch

  beforeAll(async () => {
    stage = await startStage(name)
    page = await stage.open()
    worker = await workerSwitch(stage)
  })
  afterEach(async () => {
    await call(page, 'northbound_revoke')
    for (const part of [CONSENT, WAITING, stage.network.issuer]) await gone(stage.browser, part)
    await until('no record', async () => {
      const { flows = [], tokens = [] } = await databaseText(worker.page)
      return flows.length === 0 && tokens.length === 0
    })
    stage.network.log.clear()
  })
  afterAll(() => stage?.close())

  /** Stops the worker as soon as a window is there, and some milliseconds later at each next time. */
  function stopAtWindow(afterMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      stage.browser.once('targetcreated', async () => {
        await new Promise((passed) => setTimeout(passed, afterMs))
        worker.stop().then(resolve, reject)
      })
    })
  }

  const delays = [0, 5, 10, 20, 40]

  test.each(delays)(
    'L06: %i ms after the consent window: it stays the flow’s own, and the answer counts',
    async (afterMs) => {
      await gesture(page)
      const stopped = stopAtWindow(afterMs)
      const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
      await stopped
      await answerConsent(stage, 'allow')
      await signIn(stage)
      expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
    },
  )

  test.each(delays)(
    'L06: %i ms after the sign-in window: no other is left, and the call settles',
    async (afterMs) => {
      await gesture(page)
      const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
      await pageAt(stage.browser, CONSENT)
      const stopped = stopAtWindow(afterMs)
      await answerConsent(stage, 'allow')
      await stopped
      const ended = await Promise.race([outcome, signIn(stage).then(() => outcome)])
      if (ended.error) expect(ended.error.code).toBe(ERROR_CODE.unreachable)
      expect(authorizationRequests(stage).length).toBeLessThanOrEqual(1)
    },
  )
})

describe.each(BROWSERS)('in %s, a flow that fails when the user has allowed it', (name) => {
  let stage: Stage

  beforeAll(async () => {
    stage = await startStage(name)
  })
  afterAll(() => stage?.close())

  test('N07: the operator does not answer: the consent window closes all the same', async () => {
    const page = await stage.open()
    await gesture(page)
    stage.network.faults.add({ path: '/.well-known/*', action: { type: 'status', status: 500 } })
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    await answerConsent(stage, 'allow')
    expect((await outcome).error?.code).toBe(ERROR_CODE.unreachable)
    await gone(stage.browser, CONSENT)
  })
})
