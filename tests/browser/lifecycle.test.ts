/**
 * Ends and beginnings of worker, browser and extension in the middle of things.
 *
 * Seen to fail when the listener for ports registers late and a lost call is not soon asked again (L10:
 * each of them makes up for the other), when `isFresh` leaves the renewal to a timer, so that the next
 * worker takes the token that it finds (L09 with L16), without the sweep at the start (L11; L12: the record stays),
 * and when the provider offers its port to every content script that comes (L12 in Firefox: the call is never
 * answered).
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser } from '../../scripts/browsers.ts'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { useDeveloperMode } from './support/extensions-page.ts'
import { gesture, startQuietStage } from './support/known-subscriber.ts'
import { pagesAt, until } from './support/pages.ts'
import { beginSignIn } from './support/sign-in-window.ts'
import {
  answerConsent,
  BROWSERS,
  call,
  connect,
  databaseText,
  openScreen,
  type Stage,
  signInPage,
  startStage,
  tokenRequests,
} from './support/stage.ts'
import { workerSwitch } from './support/worker.ts'

describe.each(BROWSERS)('in %s, a worker that starts again and again', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    ;({ stage, page } = await startQuietStage(name, { accessTokenSeconds: 36 }))
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

/** As an update does it, in the middle of a flow. */
async function reloadInFlow(stage: Stage, page: Page) {
  const { outcome, operator } = await beginSignIn(stage, page)
  const screen = await openScreen(stage)
  // Once the driver has its answer: the screen goes with the extension.
  await screen.evaluate(() => {
    const { chrome } = globalThis as unknown as { chrome: { runtime: { reload(): void } } }
    setTimeout(() => chrome.runtime.reload(), 100)
  })
  return { outcome, operator }
}

describe.each(BROWSERS)('in %s, an extension that is reloaded', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name)
    page = await stage.open()
  })
  afterAll(() => stage?.close())

  test('L12: in the middle of a flow, the call is answered; a page that is loaded again finds nothing of it, and a new flow works', async () => {
    if (name === 'chromium') await useDeveloperMode(stage)
    const { outcome, operator } = await reloadInFlow(stage, page)
    expect((await outcome).error?.code).toBe(ERROR_CODE.brokerGone)
    expect(tokenRequests(stage)).toEqual([])
    await operator.close()
    await until('the new broker', async () => {
      await page.reload()
      return page.evaluate(async () => (await window.broker(500)) !== undefined)
    })
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    const screen = await openScreen(stage)
    await expect.poll(async () => (await databaseText(screen)).flows).toEqual([])
    await screen.close()
    await gesture(page)
    expect((await connect(stage, page)).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
  })
})

// Chromium puts no scripts into documents that are open already: those have to be loaded again.
describe('in firefox, a document that is open while the extension is reloaded', () => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage('firefox')
    page = await stage.open()
  })
  afterAll(() => stage?.close())

  test('L12: finds the one new broker, and a flow works, without being loaded again', async () => {
    const { outcome, operator } = await reloadInFlow(stage, page)
    expect((await outcome).error?.code).toBe(ERROR_CODE.brokerGone)
    await operator.close()
    const announced = await page.evaluate(async () => {
      const found = new Set<unknown>()
      window.addEventListener('northbound:announceProvider', (event) => {
        found.add((event as CustomEvent).detail)
      })
      window.detail = undefined
      while (!(await window.broker(500))) {}
      return found.size
    })
    expect(announced).toBe(1)
    await gesture(page)
    expect((await connect(stage, page)).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
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
