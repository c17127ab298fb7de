/**
 * Ends and beginnings of worker, browser and extension in the middle of things.
 *
 * Seen to fail when the listener for ports registers late and a lost call is not soon asked again (L10:
 * each of them makes up for the other), without the sweep at the start (L11), and when the content script
 * does not notice that its runtime is dead (L12).
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser } from '../../scripts/browsers.ts'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { pagesAt } from './pages.ts'
import { gesture, startQuietStage } from './quiet.ts'
import { beginSignIn } from './sign-in-window.ts'
import {
  answerConsent,
  call,
  databaseText,
  openScreen,
  type Stage,
  signInPage,
  startStage,
  tokenRequests,
} from './stage.ts'
import { workerSwitch } from './worker.ts'

describe('in chromium, a worker that starts again and again', () => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    ;({ stage, page } = await startQuietStage('chromium', { accessTokenSeconds: 36 }))
  })
  afterAll(() => stage?.close())

  test('L10: the event that wakes it is never lost, in 40 cold starts', async () => {
    const worker = await workerSwitch(stage)
    for (let start = 0; start < 40; start++) {
      await worker.stop()
      expect((await call(page, 'broker_getInfo')).error).toBeUndefined()
    }
    await worker.close()
  })

  test('L09, L16: past its expiry a token is renewed once by the first call, without a timer', async () => {
    await gesture(page)
    const wish = stage.wish({ mode: 'token' })
    const { result } = await call<Grant>(page, 'northbound_connect', wish)
    const worker = await workerSwitch(stage)
    await worker.stop()
    const before = tokenRequests(stage).length
    await new Promise((resolve) => setTimeout(resolve, 7_000))
    expect(tokenRequests(stage)).toHaveLength(before)
    const { grantId } = result ?? {}
    expect((await call(page, 'northbound_getAccessToken', { grantId })).error).toBeUndefined()
    expect(tokenRequests(stage)).toHaveLength(before + 1)
    await worker.close()
    await call(page, 'northbound_revoke')
  })
})

// In Firefox `tests/attacks/boundary.test.ts` shows that the page is told; a call in the middle of a flow
// is not shown there.
describe('in chromium, an extension that is reloaded', () => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage('chromium')
    page = await stage.open()
  })
  afterAll(() => stage?.close())

  // Chromium keeps an unpacked extension switched off after its reload, so nothing follows this.
  test('L12: in the middle of a flow, the call is answered', async () => {
    const { outcome } = await beginSignIn(stage, page)
    const screen = await openScreen(stage)
    // Once the driver has its answer: the screen goes with the extension.
    await screen.evaluate(() => {
      const { chrome } = globalThis as unknown as { chrome: { runtime: { reload(): void } } }
      setTimeout(() => chrome.runtime.reload(), 100)
    })
    expect((await outcome).error?.code).toBe(ERROR_CODE.brokerGone)
    expect(tokenRequests(stage)).toEqual([])
  })
})

describe('in chromium, a browser that is killed', () => {
  test('L11: in the middle of a flow: after the restart no window, no record, and a new flow works', async () => {
    const profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
    const stage = await startStage('chromium', { profile })
    try {
      const page = await stage.open()
      call(page, 'northbound_connect', stage.wish()).catch(() => {})
      await answerConsent(stage, 'allow')
      await signInPage(stage)
      const process = stage.browser.process()
      const ended = new Promise((resolve) => process?.once('exit', resolve))
      process?.kill('SIGKILL')
      await ended
      stage.browser = await openBrowser('chromium', {
        extension: stage.extensionPath,
        proxy: stage.outside.address,
        profile,
      })
      const again = await stage.open()
      expect((await call<Grant[]>(again, 'northbound_getGrants')).result).toEqual([])
      const screen = await openScreen(stage)
      await expect.poll(async () => (await databaseText(screen)).flows ?? []).toEqual([])
      await screen.close()
      expect(await pagesAt(stage.browser, stage.network.issuer)).toEqual([])
      await gesture(again)
      const outcome = call<Grant>(again, 'northbound_connect', stage.wish())
      await answerConsent(stage, 'deny')
      expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
    } finally {
      await stage.close()
      await rm(profile, { recursive: true, force: true })
    }
  })
})
