/**
 * Tests the consent window against pages that provoke a click before the user has read the window, or the
 * approval of APIs that were not requested.
 *
 * Seen to fail when the buttons are never inert (E06), when `approve` accepts everything that was requested
 * regardless of the selection in the window, and when a second call opens a second window (E08).
 *
 * @see E06, E08 of the catalogue
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import type { ConsentRequest } from '../../shared/messages/screen-channel.ts'
import { test as base } from '../browser/fixtures.ts'
import { addressOf, gone, pageAt } from '../browser/support/pages.ts'
import { askBackground } from '../browser/support/sites-stage.ts'
import {
  answerConsent,
  authorizationRequests,
  call,
  gesture,
  openScreen,
  type Stage,
} from '../browser/support/stage.ts'

const ALLOW = '[data-testid=allow]'

// This file uses the product's own time for which the buttons are inert.
const test = base.extend('options', { requireConsent: true, limits: { CONSENT_INERT_MS: 500 } })

/**
 * Starts a call that waits for the user, and returns it with its consent window once the buttons are enabled.
 */
async function openConsent(stage: Stage, page: Page) {
  await gesture(page)
  const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
  const consent = await pageAt(stage.browser, '/ui/consent/')
  await consent.bringToFront()
  await consent.waitForSelector(`${ALLOW}:not([disabled])`)
  return { outcome, consent }
}

/** Text of the window, without the part that says whether "Allow" may be pressed at this moment. */
const contentOf = (consent: Page) =>
  consent.evaluate(() => {
    const copy = document.body.cloneNode(true) as HTMLElement
    copy.querySelector('.deciding')?.remove()
    return copy.textContent
  })

describe('the consent window', () => {
  test('E06: is inert while it has no focus, and for half a second after it has', async ({
    stage,
    page,
  }) => {
    const { outcome, consent } = await openConsent(stage, page)
    const afterMs = await consent.evaluate(async (selector) => {
      const until = (isDisabled: boolean) =>
        new Promise<void>((resolve) => {
          const button = document.querySelector<HTMLButtonElement>(selector)
          const look = () => button?.disabled === isDisabled && resolve()
          const observer = new MutationObserver(look)
          observer.observe(document, { attributes: true, subtree: true })
          look()
        })
      window.dispatchEvent(new Event('blur'))
      await until(true)
      window.dispatchEvent(new Event('focus'))
      const start = performance.now()
      await until(false)
      return performance.now() - start
    }, ALLOW)
    expect(afterMs).toBeGreaterThanOrEqual(490)
    await answerConsent(stage, 'deny')
    expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
  })

  test('E08: nothing can be approved that the page did not ask for', async ({ stage, page }) => {
    const { outcome, consent } = await openConsent(stage, page)
    const flowId = new URL(await addressOf(consent)).searchParams.get('flow')
    const apis = [
      { index: 0, scopes: ['3gpp-monitoring-event'] },
      { index: 1, scopes: ['3gpp-monitoring-event'] },
    ]
    const screen = await openScreen(stage)
    const request = await askBackground<ConsentRequest>(screen, 'getConsentRequest', { flowId })
    const { digest } = request
    await askBackground(screen, 'approve', { flowId, digest, apis, lifetime: 'day' })
    expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
    expect(authorizationRequests(stage)).toEqual([])
    await gone(stage.browser, '/ui/consent/')
  })

  test('E08: a second wish does not change what the open window is about', async ({
    stage,
    page,
  }) => {
    const { outcome, consent } = await openConsent(stage, page)
    const before = await contentOf(consent)
    const address = await addressOf(consent)
    const second = await stage.open('/second')
    await gesture(second)
    const secondAnswer = await call<Grant>(
      second,
      'northbound_connect',
      stage.wish({ mode: 'token' }),
    )
    expect(secondAnswer.error?.code).toBe(ERROR_CODE.alreadyPending)
    expect(await addressOf(consent)).toBe(address)
    expect(await contentOf(consent)).toBe(before)
    await answerConsent(stage, 'deny')
    expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
  })
})
