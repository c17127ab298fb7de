/**
 * Tests the end and the start of the worker, of the browser and of the extension during a flow.
 *
 * Seen to fail when:
 * - the listener for ports registers late and a lost call is not resent soon (L10: each of the two
 *   compensates for the other);
 * - `isFresh` leaves the renewal to a timer, so that the next worker uses the stored token (L09 with L16);
 * - the operators have no rules (R01);
 * - the clean-up at the start is missing (L11; L12: the record stays);
 * - the provider offers its port to every content script that connects (L12 in Firefox: the call is never
 *   answered).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { type AccessToken, ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test } from './fixtures.ts'
import { useDeveloperMode } from './support/extensions-page.ts'
import { startOwnStage } from './support/own-stage.ts'
import { openPage, pagesAt, until } from './support/pages.ts'
import { type Begun, beginSignIn } from './support/sign-in-window.ts'
import {
  call,
  connect,
  databaseText,
  gesture,
  openScreen,
  type Stage,
  tokenRequests,
} from './support/stage.ts'

describe('a worker that restarts repeatedly', () => {
  test('L10: the event that wakes it is never lost, in 20 cold starts', async ({
    page,
    worker,
  }) => {
    for (let start = 0; start < 20; start++) {
      await worker.stop()
      expect((await call(page, 'broker_getInfo')).error).toBeUndefined()
    }
  })
})

describe('a worker that stops before a token expires', () => {
  const tokenTest = test
    .extend('options', { accessTokenSeconds: 3, limits: { TOKEN_MARGIN_MS: 1_000 } })
    .extend('wish', { mode: 'token' })

  tokenTest(
    'L09, L16: past its expiry a token is renewed once by the first call, without a timer',
    async ({ stage, page, granted, worker }) => {
      const ask = () =>
        call<AccessToken>(page, 'northbound_getAccessToken', { grantId: granted.grantId })
      const expiresAt = (await ask()).result?.expiresAt ?? 0
      expect(expiresAt).toBeGreaterThan(Date.now())
      await worker.stop()
      const before = tokenRequests(stage).length
      await until('the expiry', async () => Date.now() > expiresAt)
      expect(tokenRequests(stage)).toHaveLength(before)
      expect((await ask()).result?.expiresAt).toBeGreaterThan(Date.now())
      expect(tokenRequests(stage)).toHaveLength(before + 1)
    },
  )
})

/** Reloads the extension during a flow, as an update does. */
async function reloadInFlow(stage: Stage, page: Page): Promise<Begun> {
  await gesture(page)
  const begun = await beginSignIn(stage, page)
  const screen = await openScreen(stage)
  // The reload closes the screen, so its answer never arrives.
  void screen
    .evaluate(() => {
      const { chrome } = globalThis as unknown as { chrome: { runtime: { reload(): void } } }
      chrome.runtime.reload()
    })
    .catch(() => {})
  return begun
}

describe('an extension that is reloaded', () => {
  test('L12: in the middle of a flow, the call is answered; a page that is loaded again finds nothing of it, and a new flow works', async ({
    stage,
    page,
  }) => {
    if (BROWSER === 'chromium') await useDeveloperMode(stage)
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

  // Chromium injects no scripts into documents that are already open. The page has to be reloaded.
  if (BROWSER === 'firefox') {
    test('L12: a document that is open finds the one new broker, and a flow works, without being loaded again', async ({
      stage,
      page,
    }) => {
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
  }
})

// Firefox removes an extension that a driver has installed when the browser ends.
if (BROWSER === 'chromium') {
  describe('a browser that is killed', () => {
    test('L11: in the middle of a flow: after the restart no window, no record, and a new flow works', async () => {
      const { stage, restart } = await startOwnStage()
      const page = await stage.open()
      await gesture(page)
      await beginSignIn(stage, page)
      const process = stage.browser.process()
      const ended = new Promise((resolve) => process?.once('exit', resolve))
      process?.kill('SIGKILL')
      await ended
      await restart()
      const again = await stage.open()
      expect((await call<Grant[]>(again, 'northbound_getGrants')).result).toEqual([])
      const screen = await openScreen(stage)
      await expect.poll(async () => (await databaseText(screen)).flows ?? []).toEqual([])
      await screen.close()
      expect(await pagesAt(stage.browser, stage.network.issuer)).toEqual([])
      await gesture(again)
      expect((await connect(stage, again)).result).toMatchObject({ issuer: stage.network.issuer })
    })
  })

  describe('a browser that starts again', () => {
    test('R01: blocks the response of a sign-in page that it has restored', async () => {
      const { stage, restart } = await startOwnStage()
      const page = await stage.open()
      await gesture(page)
      await beginSignIn(stage, page)
      await stage.browser.close()
      await restart()
      // The driver loads the extension only now; a browser loads it before it restores a page.
      await openScreen(stage)
      // A page of the operator stands for the restored sign-in page: a browser of the tests restores none.
      const restored = await openPage(stage.browser, `${stage.network.issuer}/phone`)
      const response = `${stage.redirectBase}path?code=late&state=earlier`
      await restored.evaluate((url) => location.assign(url), response).catch(() => {})
      const textOf = () => restored.evaluate(() => document.body.innerText).catch(() => '')
      await expect.poll(textOf).toContain('ERR_BLOCKED_BY_CLIENT')
      expect(restored.url()).not.toContain('code=')
    })
  })
}
