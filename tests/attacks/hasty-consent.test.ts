/**
 * Tests the consent window against a user who is made to press keys and buttons without reading.
 *
 * Seen to fail with the window of before: Enter on a mark allowed everything (a form has an implicit submission), a
 * user who kept clicking allowed half a second after the window opened, and a window that was moved stayed ready.
 *
 * @see A11a, A11b of docs/conformance.md
 */

import type { ElementHandle, Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { test as base } from '../browser/fixtures.ts'
import { signInBeforehand } from '../browser/support/known-subscriber.ts'
import { inFront, pageAt } from '../browser/support/pages.ts'
import {
  answerConsent,
  authorizationRequests,
  call,
  gesture,
  type Stage,
} from '../browser/support/stage.ts'

const ALLOW = '[data-testid=allow]'
const READY = `${ALLOW}:not([disabled])`

/** Two APIs, so that the window has marks to take away. */
async function openConsent(stage: Stage, page: Page) {
  const apis = stage.network.operatorProfiles[0]?.apis ?? []
  const wish = stage.wish({
    apis: apis.slice(0, 2).map(({ resource, scopes }) => ({
      resource,
      scope: scopes.map(({ scope }) => scope).join(' '),
    })),
  })
  await signInBeforehand(stage, wish)
  await gesture(page)
  const outcome = call<Grant>(page, 'northbound_connect', wish)
  const consent = await pageAt(stage.browser, '/ui/consent/')
  await inFront(consent)
  return { outcome, consent }
}

async function middleOf(element: ElementHandle | null): Promise<[x: number, y: number]> {
  await element?.scrollIntoView()
  const box = await element?.boundingBox()
  if (!box) throw new Error('element: expected to be shown')
  return [box.x + box.width / 2, box.y + box.height / 2]
}

describe('a user who presses without reading', () => {
  const test = base.extend('options', { requireConsent: true })

  test('A11a: Enter on a mark or a choice allows nothing; on the button it does', async ({
    stage,
    page,
  }) => {
    const { outcome, consent } = await openConsent(stage, page)
    await consent.waitForSelector(READY)
    const fields = await consent.$$('input')
    // Marks and lifetimes; the development build has one lifetime more.
    expect(fields).toHaveLength(7)
    for (const field of fields) {
      await field.focus()
      await consent.keyboard.press('Enter')
    }
    expect(await consent.$$('form')).toEqual([])
    expect(authorizationRequests(stage)).toEqual([])
    // The window still asks.
    await consent.waitForSelector(READY)
    await consent.focus(ALLOW)
    await consent.keyboard.press('Enter')
    expect((await outcome).error).toBeUndefined()
    expect(authorizationRequests(stage)).toHaveLength(1)
  })

  test('A11a: a key that is held since before the window was ready allows nothing', async ({
    stage,
    page,
  }) => {
    const { outcome, consent } = await openConsent(stage, page)
    await consent.waitForSelector(READY)
    await consent.focus(ALLOW)
    // The first press of a key that was held before was in another window: here it only repeats.
    const isStopped = await consent.evaluate((selector) => {
      const button = document.querySelector<HTMLButtonElement>(selector)
      const repeat = new KeyboardEvent('keydown', {
        key: 'Enter',
        code: 'Enter',
        repeat: true,
        bubbles: true,
        cancelable: true,
      })
      return !button?.dispatchEvent(repeat)
    }, ALLOW)
    expect(isStopped).toBe(true)
    // It counts as input: the button waits again, and has lost the focus.
    await consent.waitForFunction(
      (selector) => document.activeElement !== document.querySelector(selector),
      {},
      ALLOW,
    )
    await consent.waitForSelector(READY)
    await answerConsent(stage, 'deny')
    expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
    expect(authorizationRequests(stage)).toEqual([])
  })
})

describe('a user who keeps clicking', () => {
  // Longer than any pause between two clicks of the driver.
  const INERT_MS = 3_000
  const test = base.extend('options', {
    requireConsent: true,
    limits: { CONSENT_INERT_MS: INERT_MS },
  })

  test('A11b: allows nothing until the clicks stop, and the button says that it waits', async ({
    stage,
    page,
  }) => {
    const { outcome, consent } = await openConsent(stage, page)
    const button = await consent.waitForSelector(ALLOW)
    const place = await middleOf(button)
    const start = performance.now()
    while (performance.now() < start + 2 * INERT_MS) {
      await consent.mouse.click(...place)
      expect(await consent.$(READY)).toBeNull()
    }
    const waiting = await consent.evaluate((selector) => {
      const waitingButton = document.querySelector(selector)
      const hint = document.getElementById(waitingButton?.getAttribute('aria-describedby') ?? '')
      return { text: waitingButton?.textContent, role: hint?.role, hint: hint?.textContent }
    }, ALLOW)
    expect(waiting).toEqual({
      text: 'Wait …',
      role: 'status',
      hint: expect.stringContaining('after your last click or key'),
    })
    expect(authorizationRequests(stage)).toEqual([])
    await consent.waitForSelector(READY)
    await consent.mouse.click(...place)
    expect((await outcome).error).toBeUndefined()
    expect(authorizationRequests(stage)).toHaveLength(1)
  })

  test('A11b: a window that is moved waits again', async ({ stage, page }) => {
    const { outcome, consent } = await openConsent(stage, page)
    await consent.waitForSelector(READY)
    const isWaiting = await consent.evaluate(async (selector) => {
      const moved = new Promise<boolean>((resolve) => {
        const observer = new MutationObserver(() =>
          resolve(document.querySelector(selector)?.hasAttribute('disabled') === true),
        )
        observer.observe(document, { attributes: true, subtree: true })
      })
      // A window of a browser without a screen cannot be moved.
      Object.defineProperty(window, 'screenX', { value: window.screenX + 60 })
      return moved
    }, ALLOW)
    expect(isWaiting).toBe(true)
    await answerConsent(stage, 'deny')
    expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
  })
})
