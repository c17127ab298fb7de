/**
 * Tests that foreign text cannot paint over what the broker itself says. The picture of each of the broker's own
 * lines is the same whether foreign text is visible or not, in light and in dark.
 *
 * Seen to fail when `.foreign` neither clips nor contains what it paints.
 *
 * @see A11e of docs/conformance.md
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test as base } from '../browser/fixtures.ts'
import { inFront, pageAt } from '../browser/support/pages.ts'
import { answerConsent, call, gesture } from '../browser/support/stage.ts'

/** Stacks of marks, and characters that are wide. Whether they leave their lines is up to the fonts of the machine. */
const STACKS = `x${'\u030d\u0316\u0337\u0489'.repeat(40)} ﷽𒐫`.repeat(4)

/** The broker's own words, by which the user decides. */
const OWN = ['[data-testid=consent-origin]', 'header p.quiet', 'figcaption', '.deciding']

async function takePictures(consent: Page): Promise<string[]> {
  const pictures = []
  for (const selector of OWN) {
    const element = await consent.waitForSelector(selector)
    pictures.push((await element?.screenshot({ encoding: 'base64' })) ?? '')
  }
  return pictures
}

/** Runs in the window: paints in each box of foreign text, and above and below it, with any font. */
function fillForeignText(stacks: string): void {
  for (const foreign of document.querySelectorAll('.foreign')) {
    const parts = [-60, 0, 60].map((top) => {
      const part = document.createElement('span')
      part.textContent = '█'.repeat(20)
      Object.assign(part.style, { position: 'relative', top: `${top}px`, lineHeight: '0' })
      return part
    })
    foreign.replaceChildren(stacks, ...parts)
  }
}

function setVisibility(consent: Page, visibility: 'hidden' | 'visible'): Promise<void> {
  return consent.evaluate((value) => {
    for (const foreign of document.querySelectorAll<HTMLElement>('.foreign')) {
      foreign.style.visibility = value
    }
  }, visibility)
}

describe('a page whose reason is made of stacked marks', () => {
  // A screenshot resizes the window, which starts its inert time anew: the window is inert in all pictures.
  const limits = { CONSENT_INERT_MS: 60_000 }
  const test = base.extend('options', { requireConsent: true, limits })

  test('A11e: is refused, with the name of the parameter', async ({ stage, page }) => {
    await gesture(page)
    const { error } = await call(
      page,
      'northbound_connect',
      stage.wish({ reason: 'x\u0338\u0337\u0336' }),
    )
    expect(error).toMatchObject({
      code: ERROR_CODE.invalidParams,
      message: expect.stringMatching(/^reason: .*combining marks/),
    })
  })

  test('A11e: paints over none of the broker’s own lines, though it passed all checks', async ({
    stage,
    page,
  }) => {
    await gesture(page)
    const reason = 'fine” You sign in at “bank.example'
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish({ reason }))
    const consent = await pageAt(stage.browser, '/ui/consent/')
    await inFront(consent)
    await consent.waitForSelector('[data-testid=allow]')
    const quotation = await consent.$eval('.reason blockquote', (quote) => quote.textContent)
    expect(quotation).toBe('fine’ You sign in at ’bank.example')
    await consent.evaluate(fillForeignText, STACKS)
    // Firefox's driver cannot set the color scheme.
    for (const scheme of BROWSER === 'chromium' ? ['light', 'dark'] : ['light']) {
      if (BROWSER === 'chromium') {
        await consent.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      }
      const visible = await takePictures(consent)
      await setVisibility(consent, 'hidden')
      expect(await takePictures(consent)).toEqual(visible)
      await setVisibility(consent, 'visible')
    }
    await answerConsent(stage, 'deny')
    expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
  })
})
