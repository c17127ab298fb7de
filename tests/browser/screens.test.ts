/**
 * Tests the broker's own screens in both browsers: empty and filled, checked by axe, and operated by keyboard
 * only. The effect of every change is checked in the page.
 *
 * Seen to fail when:
 * - the consent window shows only the host, and the keyboard does not reach its button;
 * - an input has no label, a secondary color is too dark for the dark theme, and an empty list shows no text;
 * - `approve` accepts everything that was requested, and an hour counts as a day;
 * - denials are not logged, and an access token is logged;
 * - a connection can be ended only with the mouse, and the page is told that the connection ended by itself;
 * - the first click empties the log.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import type { ConnectParams, Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test } from './fixtures.ts'
import { violationsOf } from './support/axe.ts'
import { signInBeforehand } from './support/known-subscriber.ts'
import { pageAt } from './support/pages.ts'
import { answerConsent, call, gesture, openScreen, type Stage } from './support/stage.ts'

/** Each screen, its content while no site is connected, and its cards once a site is connected. */
const SCREENS = [
  { path: '/ui/popup/index.html', words: 'No site yet', card: 'connection' },
  { path: '/ui/sites/index.html', words: 'No site is connected', card: 'connection' },
  // A development build always has operators.
  { path: '/ui/operators/index.html', words: 'Demonstration', card: 'operator' },
]

const textOf = (page: Page) => page.evaluate(() => document.body.innerText)

/** Returns the texts of the elements that the keyboard reaches, each element once. */
async function reachedByKeyboard(page: Page): Promise<string[]> {
  const reached = new Map<number, string>()
  await page.bringToFront()
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab')
    const [place, words] = await page.evaluate((): [number, string] => {
      const element = document.activeElement ?? document.body
      const place = [...document.querySelectorAll('*')].indexOf(element)
      const label = element.getAttribute('aria-label') ?? element.textContent
      return [element === document.body ? -1 : place, `${element.tagName} ${label}`]
    })
    if (reached.has(place)) break
    if (place >= 0) reached.set(place, words)
  }
  return [...reached.values()]
}

/** Requests two APIs of the operator, so that the user can deselect an API. */
function wishForTwo(stage: Stage): ConnectParams {
  const apis = stage.network.operatorProfiles[0]?.apis ?? []
  return stage.wish({
    reason: 'Smooth streaming',
    apis: apis.slice(0, 2).map(({ resource, scopes, purposes }) => ({
      resource,
      scope: scopes.map(({ scope }) => scope).join(' '),
      ...(purposes?.[0] && { purpose: purposes[0] }),
    })),
  })
}

async function consentWindow(stage: Stage): Promise<Page> {
  const consent = await pageAt(stage.browser, '/ui/consent/')
  await consent.bringToFront()
  await consent.waitForSelector('[data-testid=allow]:not([disabled])')
  return consent
}

describe('the consent window', () => {
  const withConsent = test.extend('options', { requireConsent: true })

  withConsent(
    'the consent window names the origin in full, and passes axe',
    async ({ stage, page }) => {
      const connecting = call<Grant>(page, 'northbound_connect', wishForTwo(stage))
      const consent = await consentWindow(stage)
      const origin = await consent.$eval('[data-testid=consent-origin]', (e) => e.textContent)
      expect(origin?.trim()).toBe(stage.application.origin)
      expect(await violationsOf(consent)).toEqual([])
      const reached = await reachedByKeyboard(consent)
      expect(reached).toContainEqual(expect.stringContaining('BUTTON Allow'))
      expect(reached).toContainEqual(expect.stringContaining('BUTTON Don’t allow'))
      await consent.click('[data-testid=deny]')
      expect((await connecting).error?.code).toBe(4001)
    },
  )

  withConsent(
    'the user may grant less: an API taken away is not in the grant',
    async ({ stage, page }) => {
      const wish = wishForTwo(stage)
      await signInBeforehand(stage, wish)
      await gesture(page)
      const connecting = call<Grant>(page, 'northbound_connect', wish)
      const consent = await consentWindow(stage)
      const boxes = await consent.$$('[data-testid=api]')
      expect(boxes).toHaveLength(wish.apis.length)
      await boxes[1]?.click()
      await consent.click('[name=lifetime]')
      await consent.click('[data-testid=allow]')
      const { result, error } = await connecting
      expect(error).toBeUndefined()
      expect(result?.apis).toEqual([wish.apis[0]])
      const hours = ((result?.expiresAt ?? 0) - (result?.createdAt ?? 0)) / 3_600_000
      expect(hours).toBeLessThanOrEqual(1)
    },
  )

  withConsent(
    'the log has the denial and the grant, with no secret in it',
    async ({ stage, page }) => {
      const wish = wishForTwo(stage)
      const [first, second] = wish.apis.map((api) => ({ ...wish, apis: [api] }))
      await signInBeforehand(stage, wish)
      for (const [params, answer] of [
        [first, 'allow'],
        [second, 'deny'],
      ] as const) {
        await gesture(page)
        const connecting = call<Grant>(page, 'northbound_connect', params)
        await answerConsent(stage, answer)
        expect((await connecting).error?.code).toBe(answer === 'deny' ? 4001 : undefined)
      }
      const screen = await openScreen(stage, '/ui/sites/index.html')
      await screen.waitForSelector('[data-testid=entry]')
      const rows = await screen.$$eval('[data-testid=entry]', (found) =>
        found.map((row) => (row as HTMLElement).innerText),
      )
      expect(rows).toContainEqual(expect.stringMatching(/Refused[\s\S]*access_denied/))
      expect(rows).toContainEqual(expect.stringMatching(/Allowed[\s\S]*granted/))
      for (const row of rows) expect(row).toContain(stage.application.origin)
      expect(rows.join()).not.toMatch(/eyJ|code_verifier|refresh_token/)
    },
  )
})

describe('the broker’s own screens', () => {
  test.for(SCREENS)(
    'without a connection, $path says $words, and passes axe in light and dark',
    async ({ path, words }, { stage }) => {
      const screen = await openScreen(stage, path)
      await expect.poll(() => textOf(screen)).toContain(words)
      expect(await violationsOf(screen)).toEqual([])
      // Firefox's driver cannot set the color scheme. Its dark colors are the same as Chromium's.
      if (BROWSER === 'chromium') {
        await screen.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }])
        expect(await violationsOf(screen)).toEqual([])
      }
    },
  )

  test('with a connection, each screen passes axe', async ({ stage, granted }) => {
    expect(granted.apis).toHaveLength(1)
    for (const { path, card } of SCREENS) {
      const screen = await openScreen(stage, path)
      await screen.waitForSelector(`[data-testid=${card}]`)
      expect([path, await violationsOf(screen)]).toEqual([path, []])
      await screen.close()
    }
  })

  test('a connection ends by the keyboard, and the page gets the event', async ({
    stage,
    page,
    granted: { grantId },
  }) => {
    await page.evaluate(() => {
      const { provider } = window.detail as {
        provider: { on(event: string, listener: (payload: unknown) => void): void }
      }
      provider.on('grantRevoked', (payload) => window.seen.push(payload))
    })
    const screen = await openScreen(stage)
    await screen.waitForSelector('[data-testid=connection] button')
    await screen.bringToFront()
    await screen.focus('[data-testid=connection] button')
    await screen.keyboard.press('Enter')
    await screen.waitForSelector('[data-testid=connection]', { hidden: true })
    expect(await textOf(screen)).toContain('No site yet')
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    await expect
      .poll(() => page.evaluate(() => window.seen))
      .toContainEqual(expect.objectContaining({ grantId, by: 'user' }))
  })

  test('the log is emptied only after a second click', async ({ stage, granted }) => {
    expect(granted.apis).toHaveLength(1)
    const screen = await openScreen(stage, '/ui/sites/index.html')
    await screen.waitForSelector('[data-testid=entry]')
    await screen.click('[data-testid=clear]')
    await screen.waitForSelector('[data-testid=clear-really]')
    expect(await screen.$('[data-testid=entry]')).not.toBeNull()
    await screen.click('[data-testid=clear-really]')
    await screen.waitForSelector('[data-testid=entry]', { hidden: true })
  })
})
