/**
 * Tests pages that make more of a click than a window at once: many windows, or a window when the user has long been
 * elsewhere. The page itself makes the calls, since a script of the driver has a gesture of its own.
 *
 * Seen to fail with the worker of before: ten windows from one click, and a window in front of another page.
 *
 * @see A11c, A11d of docs/conformance.md
 */

import { describe, expect } from 'vitest'
import { ERROR_CODE, type Provider } from '../../shared/messages/page-api.ts'
import { test as base } from '../browser/fixtures.ts'
import { inFront, pagesAt, until } from '../browser/support/pages.ts'
import { beginSignIn } from '../browser/support/sign-in-window.ts'
import { authorizationRequests, call, gesture } from '../browser/support/stage.ts'
import { windowsOpenedBy } from '../browser/support/windows.ts'

declare global {
  interface Window {
    codes: (number | string)[] | undefined
  }
}

/** As long as the click is active in the page. */
const ATTACK_MS = 4_500

/** Runs in the page: from the first click on it calls, aborts when a window may be open, and calls again. */
function callAndAbort(wish: object, attackMs: number): void {
  const { provider } = window.detail as { provider: Provider }
  async function callOnce(): Promise<number | string> {
    const controller = new AbortController()
    const request = { method: 'northbound_connect', params: wish, signal: controller.signal }
    const called = provider.request(request).then(
      () => 'a grant',
      ({ code, name }) => code || name,
    )
    const timer = setTimeout(() => controller.abort(), 400)
    const outcome = await called
    clearTimeout(timer)
    return outcome
  }
  async function attack(): Promise<void> {
    const codes: (number | string)[] = []
    const start = performance.now()
    while (performance.now() < start + attackMs) {
      codes.push(await callOnce())
      await new Promise(requestAnimationFrame)
    }
    window.codes = codes
  }
  document.addEventListener('click', () => void attack(), { once: true })
}

describe('a page that calls and aborts', () => {
  const test = base.extend('options', {
    requireConsent: true,
    limits: { TRANSIENT_ACTIVATION_MS: 5_000, ACTIVATION_LIFETIME_MS: 10_000 },
  })

  test('A11c: gets one window of one click', async ({ stage, page }) => {
    await page.evaluate(() => window.broker())
    await page.evaluate(callAndAbort, { ...stage.wish() }, ATTACK_MS)
    let codes: (number | string)[] = []
    const opened = await windowsOpenedBy(stage, async () => {
      await gesture(page)
      codes = await until('the calls', () => page.evaluate(() => window.codes), 30_000)
    })
    expect(opened).toBe(1)
    // A call may also come while the window before it closes. A quick machine makes too many calls, and on a slow one
    // the page aborts a call before its answer.
    const expected: (number | string)[] = [
      ERROR_CODE.alreadyPending,
      ERROR_CODE.rateLimited,
      DOMException.ABORT_ERR,
    ]
    const others = codes.slice(1).filter((code) => !expected.includes(code))
    expect(others.length).toBeGreaterThan(0)
    expect(new Set(others)).toEqual(new Set([ERROR_CODE.interactionRequired]))
    expect(authorizationRequests(stage)).toEqual([])
  })
})

describe('a user who has left the page since the click', () => {
  const METADATA = '/.well-known/oauth-authorization-server'
  // An attempt without a window comes first, and takes its time. Without it the window would open at once.
  const test = base.extend('options', { operator: { networkAuthentication: true } })
  const listSignIns = (stage: Parameters<typeof authorizationRequests>[0]) =>
    authorizationRequests(stage).filter(({ query }) => query.prompt !== 'none')

  test('A11d: sees no window of it', async ({ stage, page }) => {
    const { faults, log } = stage.network
    const held = faults.add({
      path: METADATA,
      action: { type: 'hold', before: 'answering' },
    })
    const arrived = log.waitFor({ path: METADATA }, { until: 'arrived' })
    await gesture(page)
    const opened = await windowsOpenedBy(stage, async () => {
      const outcome = call(page, 'northbound_connect', stage.wish())
      await arrived
      await inFront(await stage.open('/elsewhere'))
      faults.remove(held)
      expect((await outcome).error).toMatchObject({
        code: ERROR_CODE.interactionRequired,
        data: { error: 'interaction_required' },
      })
    })
    // The tab that the user opened.
    expect(opened).toBe(1)
    expect(await pagesAt(stage.browser, stage.network.issuer)).toEqual([])
    expect(listSignIns(stage)).toEqual([])

    await inFront(page)
    await gesture(page)
    const { outcome, operator } = await beginSignIn(stage, page)
    await operator.close()
    expect((await outcome).error?.code).toBe(ERROR_CODE.accessDenied)
  })
})
