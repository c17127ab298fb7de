/**
 * Tests denials: the user denies access, or closes a window. The call ends with `access_denied`, no token
 * request is sent, and the page can open no window during the cooldown.
 *
 * Seen to fail when `handleTabClosed` does not cancel the flow; when no denial is remembered, or a denial is
 * remembered without an end (X07); and when `access_denied` is treated like any other error code (X08).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { expectNothingKept } from './support/nothing-kept.ts'
import { gone, pageAt } from './support/pages.ts'
import { beginSignIn } from './support/sign-in-window.ts'
import {
  answerConsent,
  type Called,
  call,
  gesture,
  openScreen,
  type Stage,
  signIn,
  tokenRequests,
} from './support/stage.ts'
import { windowsOpenedBy } from './support/windows.ts'

const DENIED = { code: ERROR_CODE.accessDenied, data: { error: 'access_denied' } }

interface Denials {
  refusals: Record<string, { times: number; at: number }>
}

interface Session {
  get(): Promise<Denials>
  set(items: Denials): Promise<void>
}

/**
 * Changes the time of the last denial, and makes it the last of a series: eight denials cause a cooldown of
 * ten minutes.
 */
async function moveDenials(stage: Stage, at: number, times = 8): Promise<void> {
  const screen = await openScreen(stage)
  await screen.evaluate(
    async (denied) => {
      const { session } = (globalThis as unknown as { chrome: { storage: { session: Session } } })
        .chrome.storage
      const { refusals } = await session.get()
      for (const origin of Object.keys(refusals)) refusals[origin] = denied
      await session.set({ refusals })
    },
    { at, times },
  )
  await screen.close()
}

async function beginConnect(
  stage: Stage,
  page: Page,
): Promise<{ outcome: Promise<Called<Grant>> }> {
  await gesture(page)
  return { outcome: call<Grant>(page, 'northbound_connect', stage.wish()) }
}

async function closeConsent({ browser }: Stage): Promise<void> {
  const consent = await pageAt(browser, '/ui/consent/')
  await consent.close()
}

describe('a user who denies access', () => {
  const test = base.extend('options', { requireConsent: true })
  test.afterEach(({ stage, page }) => expectNothingKept(stage, page))

  test('X08: the user denies at the operator', async ({ stage, page }) => {
    await gesture(page)
    const { outcome } = await beginSignIn(stage, page)
    await signIn(stage, 'deny')
    expect((await outcome).error).toMatchObject(DENIED)
    expect(tokenRequests(stage)).toEqual([])
  })

  // The alarm of the flow would also end the call, but later than the time limit of a test.
  test('X07: the user closes the consent window', async ({ stage, page }) => {
    const { outcome } = await beginConnect(stage, page)
    await closeConsent(stage)
    expect((await outcome).error).toMatchObject(DENIED)
  })

  test('X07: the user closes the sign-in window', async ({ stage, page }) => {
    await gesture(page)
    const { outcome, operator } = await beginSignIn(stage, page)
    await operator.close()
    expect((await outcome).error).toMatchObject(DENIED)
  })

  test.for(['consent', 'sign-in'])(
    'X07: for a while after the user closed the %s window the page gets no other, and then it does',
    async (closed, { stage, page }) => {
      if (closed === 'consent') {
        const { outcome } = await beginConnect(stage, page)
        await closeConsent(stage)
        expect((await outcome).error).toMatchObject(DENIED)
      } else {
        await gesture(page)
        const { outcome, operator } = await beginSignIn(stage, page)
        await operator.close()
        expect((await outcome).error).toMatchObject(DENIED)
      }
      await gone(stage.browser, '/ui/consent/')
      // The first cooldown may be shorter than the next steps take on a slow machine.
      await moveDenials(stage, Date.now())
      await gesture(page)
      const opened = await windowsOpenedBy(stage, async () => {
        const again = await call<Grant>(page, 'northbound_connect', stage.wish())
        expect(again.error).toMatchObject(DENIED)
      })
      expect(opened).toBe(0)

      await moveDenials(stage, Date.now() - 10 * 60_000 - 1)
      const { outcome } = await beginConnect(stage, page)
      await answerConsent(stage, 'deny')
      expect((await outcome).error).toMatchObject(DENIED)
    },
  )
})
