/**
 * The consent window against those who would have the user click before looking, or approve what was
 * not asked. @see E06, E08 of the catalogue
 *
 * Seen to fail when the buttons are never inert (E06), when `approve` takes all that was asked whatever
 * the window says, and when a second wish opens a second window (E08).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { gesture } from '../browser/support/known-subscriber.ts'
import { addressOf, gone, pageAt } from '../browser/support/pages.ts'
import {
  answerConsent,
  authorizationRequests,
  BROWSERS,
  call,
  forgetRefusals,
  openScreen,
  type Stage,
  startStage,
} from '../browser/support/stage.ts'

const ALLOW = '[data-testid=allow]'

describe.each(BROWSERS)('in %s, the consent window', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name)
    page = await stage.open()
  })
  afterAll(() => stage?.close())

  async function ask() {
    await forgetRefusals(stage)
    await page.bringToFront()
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    outcome.catch(() => {})
    const consent = await pageAt(stage.browser, '/ui/consent/')
    await consent.bringToFront()
    await consent.waitForSelector(`${ALLOW}:not([disabled])`)
    return { outcome, consent }
  }

  test('E06: is inert while it has no focus, and for half a second after it has', async () => {
    const { outcome, consent } = await ask()
    const { whileAway, afterMs } = await consent.evaluate(async (selector) => {
      const isInert = () => document.querySelector<HTMLButtonElement>(selector)?.disabled === true
      const pause = () => new Promise((resolve) => setTimeout(resolve, 10))
      window.dispatchEvent(new Event('blur'))
      await new Promise((resolve) => setTimeout(resolve, 100))
      const whileAway = isInert()
      window.dispatchEvent(new Event('focus'))
      const begun = performance.now()
      await pause()
      while (isInert()) await pause()
      return { whileAway, afterMs: performance.now() - begun }
    }, ALLOW)
    expect(whileAway).toBe(true)
    expect(afterMs).toBeGreaterThanOrEqual(490)
    await answerConsent(stage, 'deny')
    await outcome
  })

  test('E08: nothing can be approved that the page did not ask for', async () => {
    const { outcome, consent } = await ask()
    const flowId = new URL(await addressOf(consent)).searchParams.get('flow')
    const apis = [
      { index: 0, scopes: ['3gpp-monitoring-event'] },
      { index: 1, scopes: ['3gpp-monitoring-event'] },
    ]
    const screen = await openScreen(stage)
    await screen.evaluate(
      (params) =>
        (
          globalThis as unknown as {
            chrome: { runtime: { sendMessage(message: object): Promise<unknown> } }
          }
        ).chrome.runtime.sendMessage({ type: 'screenRequest', method: 'approve', params }),
      { flowId, apis, lifetime: 'day' },
    )
    expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
    expect(authorizationRequests(stage)).toEqual([])
    await screen.close()
    await gone(stage.browser, '/ui/consent/')
  })

  test('E08: a second wish does not change what the open window is about', async () => {
    const { outcome, consent } = await ask()
    const before = await consent.evaluate(() => document.body.innerText)
    const address = await addressOf(consent)
    const second = await stage.browser.newPage()
    await second.goto(`${stage.application.origin}/second`)
    await gesture(second)
    const other = await call<Grant>(second, 'northbound_connect', stage.wish({ mode: 'token' }))
    expect(other.error?.code).toBe(ERROR_CODE.alreadyPending)
    expect(await addressOf(consent)).toBe(address)
    expect(await consent.evaluate(() => document.body.innerText)).toBe(before)
    await second.close()
    await answerConsent(stage, 'deny')
    await outcome
  })
})
