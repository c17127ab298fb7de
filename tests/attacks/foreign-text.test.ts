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

/** Rises and falls over several lines, and is wide. */
const STACKS = `x${'\u0322\u0337\u0301\u0489\u20dd'.repeat(40)} ﷽𒐫`.repeat(4)

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

function setVisibility(consent: Page, visibility: 'hidden' | 'visible'): Promise<void> {
  return consent.evaluate((value) => {
    for (const foreign of document.querySelectorAll<HTMLElement>('.foreign')) {
      foreign.style.visibility = value
    }
  }, visibility)
}

describe('a page whose reason is made of stacked marks', () => {
  const test = base.extend('options', { requireConsent: true })

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
    await consent.waitForSelector('[data-testid=allow]:not([disabled])')
    const quotation = await consent.$eval('.reason blockquote', (quote) => quote.textContent)
    expect(quotation).toBe('fine’ You sign in at ’bank.example')
    await consent.evaluate((stacks) => {
      for (const foreign of document.querySelectorAll('.foreign')) foreign.textContent = stacks
    }, STACKS)
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
