/**
 * Tests the page of the demo site as a player uses it: every state and every error, by mouse and by keyboard.
 *
 * Seen to fail when:
 * - a session that was ended stays in the list;
 * - the page does not say where a broker is switched on, and does not look for the broker again (PAGE-API
 *   section 1);
 * - an error has no name (section 4);
 * - `redact` withholds nothing;
 * - a button that disappears takes the focus with it;
 * - `cancel` does nothing;
 * - a revocation shows no notice (section 3);
 * - the page is always 400 px wide;
 * - an element has a `style` attribute (CSP3);
 * - a button has no name (WCAG);
 * - the picture does not query `prefers-reduced-motion`;
 * - the theme is not stored.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_TEXTS, errorText } from '../../demo-site/app/model/error-texts.ts'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { FAKE_ACCESS_TOKEN, installFakeBroker } from '../demo-site/fake-provider.ts'
import { BROWSER, test } from './fixtures.ts'
import { violationsOf } from './support/axe.ts'
import { hook, openDetails, press, stateOf, textOf } from './support/demo-page-stage.ts'

async function boost(page: Page): Promise<void> {
  await press(page, 'connect')
  await press(page, 'boost')
  await page.waitForSelector(hook('result'))
}

describe('the demo page', () => {
  test('connects, boosts, lists, ends and disconnects', async ({ demoPage }) => {
    const page = await demoPage.open({ broker: {} })
    expect(await stateOf(page, 'connect')).toBe('current')
    await boost(page)
    expect(await textOf(page, 'result-status')).toBe('201 Created')
    expect(JSON.parse(await textOf(page, 'result-body'))).toMatchObject({ qosReference: 'QOS_L' })
    expect(await page.$(`${hook('stage')}[data-quality=priority]`)).not.toBeNull()
    await press(page, 'list-sessions')
    await page.waitForFunction(() => document.body.textContent?.includes('200 OK'))
    expect(await page.$$(hook('session'))).toHaveLength(1)
    await press(page, 'end-session')
    await page.waitForSelector(hook('sessions-empty'))
    expect(await textOf(page, 'result-status')).toBe('204 No Content')
    await press(page, 'disconnect')
    await page.waitForSelector(hook('connect'))
    expect(await page.$(hook('grant'))).toBeNull()
  })

  test('PAGE-API section 1: without a broker it shows what to do, and looks again', async ({
    demoPage,
  }) => {
    const page = await demoPage.open()
    expect(await textOf(page, 'broker-missing')).toMatch(/Install it.*Switch it on for this site/)
    const { issuer, resource } = demoPage.config
    await page.evaluate(installFakeBroker, { issuer, resource }, FAKE_ACCESS_TOKEN)
    await press(page, 'retry-discovery')
    await page.waitForSelector(`${hook('broker-state')}[data-state=found]`)
  })

  test('PAGE-API section 4: each error is shown with its name and the next step', async ({
    demoPage,
  }) => {
    const page = await demoPage.open({ broker: {} })
    for (const code of Object.values(ERROR_CODE)) {
      const [word = 'some_error'] = Object.keys(ERROR_TEXTS[code].words ?? {})
      const error = { code, data: { error: word } }
      await page.evaluate((given) => fakeBroker.fail('northbound_connect', given), error)
      await press(page, 'connect')
      await page.waitForSelector(`${hook('error-code')}::-p-text(${code})`)
      const { title, action } = errorText(code, error.data)
      expect(await textOf(page, 'error-name')).toBe(word)
      expect(await textOf(page, 'error-title')).toBe(title)
      expect([code, (await page.$(hook('error-action'))) !== null]).toEqual([
        code,
        action !== 'none',
      ])
      if (code === ERROR_CODE.brokerGone) await press(page, 'retry-discovery')
    }
  })

  test('token mode: the API gets the token, the document never has it', async ({ demoPage }) => {
    const page = await demoPage.open({ broker: {} })
    await page.click(hook('mode-token'))
    await boost(page)
    await openDetails(page)
    expect(demoPage.apiRequests).toEqual([
      { method: 'POST', authorization: `Bearer ${FAKE_ACCESS_TOKEN}`, cookie: undefined },
    ])
    const shown = await page.content()
    expect(shown).toContain('northbound_getAccessToken')
    expect(shown).not.toContain('eyJ')
  })

  test('the whole job can be done with the keyboard alone', async ({ demoPage }) => {
    const page = await demoPage.open({ broker: {} })
    const focused = () =>
      page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.testid)
    for (let presses = 0; (await focused()) !== 'connect' && presses < 12; presses++) {
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Enter')
    await page.waitForFunction(
      () => (document.activeElement as HTMLElement | null)?.dataset.testid === 'boost',
    )
    await page.keyboard.press('Enter')
    expect(await textOf(page, 'result-status')).toBe('201 Created')
    expect(await focused()).toBe('boost')
    await page.focus(hook('end-session'))
    await page.keyboard.press('Enter')
    await page.waitForSelector(hook('sessions-empty'))
    await page.waitForFunction(
      () => (document.activeElement as HTMLElement | null)?.dataset.testid === 'boost',
    )
  })

  test('a request can be cancelled', async ({ demoPage }) => {
    const page = await demoPage.open({ broker: { hanging: ['northbound_connect'] } })
    await press(page, 'connect')
    await page.waitForSelector(`${hook('step')}[data-step=connect][data-state=busy]`)
    await press(page, 'cancel')
    await page.waitForSelector(`${hook('step')}[data-step=connect][data-state=current]`)
    expect(await page.$(hook('error'))).toBeNull()
  })

  test('PAGE-API section 3: a revocation by the network is shown at once', async ({ demoPage }) => {
    const page = await demoPage.open({ broker: { connected: true } })
    await page.waitForSelector(hook('grant'))
    const payload = { grantId: 'grant-fetch', by: 'network', cause: 'AUTHORIZATION_ISSUE' }
    await page.evaluate((given) => fakeBroker.emit('grantRevoked', given), payload)
    expect(await textOf(page, 'notice')).toMatch(/operator took the permission back/)
    expect(await page.$(hook('grant'))).toBeNull()
    await page.evaluate(() => fakeBroker.emit('disconnect', {}))
    await page.waitForSelector(`${hook('broker-state')}[data-state=gone]`)
  })

  test('at 320 px nothing is wider than the screen, in any state', async ({ demoPage }) => {
    const width = 320
    const withoutBroker = await demoPage.open({ width })
    const boosted = await demoPage.open({ broker: {}, width })
    await boost(boosted)
    const errors = { northbound_connect: { code: 4300, data: { error: 'issuer_mismatch' } } }
    const failed = await demoPage.open({ broker: { errors }, width })
    await press(failed, 'connect')
    await failed.waitForSelector(hook('error'))
    for (const page of [withoutBroker, boosted, failed]) {
      const excess = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement
        return scrollWidth - clientWidth
      })
      expect(excess).toBe(0)
    }
  })

  test('CSP3: in no state does the page violate its own policy, or fail', async ({ demoPage }) => {
    await demoPage.open()
    const page = await demoPage.open({ broker: {} })
    await boost(page)
    await openDetails(page)
    await press(page, 'end-session')
    await page.click(hook('theme'))
    await page.evaluate(() => {
      const error = { code: 4001, data: { error: 'access_denied' } }
      fakeBroker.fail('northbound_fetch', error)
    })
    await press(page, 'boost')
    await page.waitForSelector(hook('error'))
    expect(demoPage.complaints).toEqual([])
    // Control: a violation is recorded, and the page has a policy.
    await page.evaluate(() => document.body.setAttribute('style', 'color: red'))
    await expect.poll(() => demoPage.complaints).toEqual([expect.stringContaining('style')])
  })
})

// Firefox's driver cannot set the preferred color scheme and reduced motion.
if (BROWSER === 'chromium') {
  describe('the demo page, checked by axe', () => {
    const denial = { northbound_connect: { code: 4001, data: { error: 'access_denied' } } }
    const states: [string, (page: Page) => Promise<unknown>, object | undefined][] = [
      ['no broker', (page) => page.waitForSelector(hook('broker-missing')), undefined],
      ['ready to connect', (page) => page.waitForSelector(hook('connect')), {}],
      ['boosted', boost, {}],
      [
        'denied',
        async (page) => {
          await press(page, 'connect')
          await page.waitForSelector(hook('error'))
        },
        { errors: denial },
      ],
    ]

    test.for(states)('WCAG 2.2 AA: %s', async ([, reach, broker], { demoPage }) => {
      for (const dark of [false, true]) {
        const page = await demoPage.open({ ...(broker ? { broker } : {}), dark })
        await reach(page)
        await openDetails(page)
        expect(await violationsOf(page)).toEqual([])
      }
    })

    test('prefers-reduced-motion: the picture stands still', async ({ demoPage }) => {
      const page = await demoPage.open({ broker: {} })
      /**
       * True if the picture changes within as many frames as it needs for a change without reduced motion.
       */
      const moves = () =>
        page.evaluate(async () => {
          const picture = () => document.querySelector('canvas')?.toDataURL()
          const before = picture()
          for (let frames = 0; frames < 30; frames++) {
            await new Promise(requestAnimationFrame)
            if (picture() !== before) return true
          }
          return false
        })
      expect(await moves()).toBe(false)
      await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'no-preference' }])
      expect(await moves()).toBe(true)
    })

    test('the theme follows the system until the player chooses', async ({ demoPage }) => {
      const page = await demoPage.open({ dark: true })
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      const dark = await background()
      await page.click(hook('theme'))
      await page.waitForSelector('html[data-theme=light]')
      expect(await background()).not.toBe(dark)
      await page.reload()
      await page.waitForSelector('html[data-theme=light]')
    })
  })
}
