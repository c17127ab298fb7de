/**
 * Tests users who repeat an action, or leave in the middle of it. The result is a single grant, or no grant
 * and no window that stays open.
 *
 * Seen to fail when a port that closes aborts no calls (X10, X11: the window stays).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test } from './fixtures.ts'
import { signInBeforehand } from './support/known-subscriber.ts'
import { gone, openTab, pageAt, until } from './support/pages.ts'
import { submitPassword } from './support/password-form.ts'
import { beginSignIn } from './support/sign-in-window.ts'
import {
  authorizationRequests,
  call,
  databaseText,
  gesture,
  openScreen,
  type Stage,
  signInPage,
  tokenRequests,
} from './support/stage.ts'

describe('a user who repeats an action, or leaves', () => {
  /**
   * Starts a call in a page that goes away. Firefox’s driver repeats an evaluation whose answer did not
   * arrive.
   */
  async function beginAndForget(stage: Stage, page: Page): Promise<void> {
    await gesture(page)
    await page.evaluate((wish) => void window.call('northbound_connect', { ...wish }), stage.wish())
    await signInPage(stage)
  }

  async function expectNothingPending(stage: Stage): Promise<void> {
    await gone(stage.browser, stage.network.issuer)
    const screen = await openScreen(stage)
    await expect.poll(async () => (await databaseText(screen)).flows).toEqual([])
    expect(tokenRequests(stage)).toEqual([])
  }

  test('X11: the tab that asked is closed, and the window goes with it', async ({
    stage,
    page,
  }) => {
    await beginAndForget(stage, page)
    await page.close()
    await expectNothingPending(stage)
  })

  if (BROWSER === 'chromium') {
    // Firefox has no address that crashes the process of a page.
    test('X11: the process of the page that asked ends, and the window goes with it', async ({
      stage,
      page,
    }) => {
      await beginAndForget(stage, page)
      void page.goto('chrome://crash').catch(() => {})
      await expectNothingPending(stage)
    })
  }

  test('X10: the page that asked is loaded again, and may ask again', async ({ stage, page }) => {
    await beginAndForget(stage, page)
    await page.reload()
    await expectNothingPending(stage)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    await signInBeforehand(stage)
    await gesture(page)
    expect((await call<Grant>(page, 'northbound_connect', stage.wish())).error).toBeUndefined()
  })

  test('X09: back to the sign-in form, and submitted again: one grant', async ({ stage, page }) => {
    await gesture(page)
    const { outcome, operator } = await beginSignIn(stage, page)
    const action = await operator.$eval(
      '[data-form=password]',
      (form) => (form as HTMLFormElement).action,
    )
    await submitPassword(operator, stage.subscriber)
    await operator.waitForSelector('[data-form=consent]')
    const consentUrl = operator.url()
    await operator.evaluate(() => history.back())
    // This operator does not show an old form again, but a browser that kept the form may submit it.
    await operator.waitForSelector('[data-screen=error]')
    await operator.evaluate(
      (address, fields) => {
        const form = Object.assign(document.createElement('form'), {
          method: 'post',
          action: address,
        })
        for (const [name, value] of Object.entries(fields)) {
          form.append(Object.assign(document.createElement('input'), { name, value }))
        }
        document.body.append(form)
        form.submit()
      },
      action,
      { phone_number: stage.subscriber.phoneNumber, password: stage.subscriber.password },
    )
    const path = new URL(action).pathname
    await until(
      'the second answer',
      async () => stage.network.log.filter({ method: 'POST', path })[1]?.status !== undefined,
    )
    await operator.goto(consentUrl)
    await operator.waitForSelector('[data-form=consent]')
    await operator.click('[data-form=consent] [value=allow]')
    expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('X12: the operator’s page twice, and both submitted: one grant', async ({ stage, page }) => {
    await gesture(page)
    const { outcome, operator } = await beginSignIn(stage, page)
    await submitPassword(operator, stage.subscriber)
    await operator.waitForSelector('[data-form=consent]')
    const twin = await openTab(stage.browser)
    await twin.goto(operator.url())
    await twin.waitForSelector('[data-form=consent]')
    await operator.bringToFront()
    await operator.click('[data-form=consent] [value=allow]')
    const { result } = await outcome
    expect(result).toBeDefined()
    const { log } = stage.network
    const submitted = () => log.filter({ method: 'POST' }).filter(({ path }) => !/token/.test(path))
    const before = submitted().length
    await twin.bringToFront()
    await twin.click('[data-form=consent] [value=allow]').catch(() => {})
    await until('the second answer', async () => submitted()[before]?.status !== undefined)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([result])
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  const consentTest = test.extend('options', { requireConsent: true })

  consentTest(
    'X13: allowed by a double click: one authorization request',
    async ({ stage, page }) => {
      await signInBeforehand(stage)
      await gesture(page)
      const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
      const consent = await pageAt(stage.browser, '/ui/consent/')
      await consent.bringToFront()
      await consent.waitForSelector('[data-testid=allow]:not([disabled])')
      await consent.click('[data-testid=allow]', { count: 2 })
      expect((await outcome).result).toBeDefined()
      expect(authorizationRequests(stage)).toHaveLength(1)
    },
  )
})
