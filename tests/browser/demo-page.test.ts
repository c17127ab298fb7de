/**
 * The page of the demo site, as a player meets it: each state, each error, by mouse and by keyboard.
 *
 * Seen to fail when a session that was ended stays in the list; when the page does not say where a broker is
 * switched on, and does not look again (PAGE-API section 1); when an error has no name (section 4); when
 * `redact` withholds nothing; when a button that has gone takes the focus with it; when `cancel` does
 * nothing; when a revocation has no notice (section 3); with a page 400 px wide; with a `style` attribute
 * (CSP3); when a button has no name (WCAG); when the picture does not ask for `prefers-reduced-motion`; and
 * when the theme is not kept.
 */

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERROR_TEXTS, errorText } from '../../demo-site/app/model/error-texts.ts'
import type { BrowserName } from '../../scripts/browsers.ts'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { FAKE_ACCESS_TOKEN, installFakeBroker } from '../demo-site/fake-provider.ts'
import {
  hook,
  type PageStage,
  press,
  startPageStage,
  stateOf,
  textOf,
} from './support/demo-page-stage.ts'

const BROWSERS: BrowserName[] = ['chromium', 'firefox']

async function boosted(page: Page): Promise<void> {
  await press(page, 'connect')
  await press(page, 'boost')
  await page.waitForSelector(hook('result'))
}

describe.each(BROWSERS)('in %s, the demo page', (name) => {
  let stage: PageStage
  beforeAll(async () => {
    stage = await startPageStage(name)
  })
  afterAll(() => stage?.close())

  test('connects, boosts, lists, ends and disconnects', async () => {
    const page = await stage.open({ broker: {} })
    expect(await stateOf(page, 'connect')).toBe('current')
    await boosted(page)
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
    await page.close()
  })

  test('PAGE-API section 1: without a broker it says what to do, and looks again', async () => {
    const page = await stage.open()
    expect(await textOf(page, 'broker-missing')).toMatch(/Install it.*Switch it on for this site/)
    const { issuer, resource } = stage.config
    await page.evaluate(installFakeBroker, { issuer, resource }, FAKE_ACCESS_TOKEN)
    await press(page, 'retry-discovery')
    await page.waitForSelector(`${hook('broker-state')}[data-state=found]`)
    await page.close()
  })

  describe('PAGE-API section 4', () => {
    let page: Page
    beforeAll(async () => {
      page = await stage.open({ broker: {} })
    })
    afterAll(() => page?.close())

    test.each(Object.entries(ERROR_CODE))('%s is told', async (_name, code) => {
      const [word = 'some_error'] = Object.keys(ERROR_TEXTS[code].words ?? {})
      const error = { code, data: { error: word } }
      await page.evaluate((given) => fakeBroker.fail('northbound_connect', given), error)
      await press(page, 'connect')
      await page.waitForFunction(
        (expected) => document.querySelector('[data-testid=error-code]')?.textContent === expected,
        {},
        String(code),
      )
      expect(await textOf(page, 'error-name')).toBe(word)
      const { title, action } = errorText(code, error.data)
      expect(await textOf(page, 'error-title')).toBe(title)
      expect((await page.$(hook('error-action'))) !== null).toBe(action !== 'none')
      if (code === ERROR_CODE.brokerGone) await press(page, 'retry-discovery')
    })
  })

  test('token mode: the API gets the token, the document never has it', async () => {
    stage.apiRequests.length = 0
    const page = await stage.open({ broker: {} })
    await page.click(hook('mode-token'))
    await boosted(page)
    await page.$$eval('details', (entries) => {
      for (const entry of entries) entry.open = true
    })
    expect(stage.apiRequests).toEqual([
      { method: 'POST', authorization: `Bearer ${FAKE_ACCESS_TOKEN}`, cookie: undefined },
    ])
    const shown = await page.content()
    expect(shown).toContain('northbound_getAccessToken')
    expect(shown).not.toContain('eyJ')
    await page.close()
  })

  test('the whole job can be done with the keyboard alone', async () => {
    const page = await stage.open({ broker: {} })
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
    await page.close()
  })

  test('a request can be taken back', async () => {
    const page = await stage.open({ broker: { hanging: ['northbound_connect'] } })
    await press(page, 'connect')
    await page.waitForSelector(`${hook('step')}[data-step=connect][data-state=busy]`)
    await press(page, 'cancel')
    await page.waitForSelector(`${hook('step')}[data-step=connect][data-state=current]`)
    expect(await page.$(hook('error'))).toBeNull()
    await page.close()
  })

  test('PAGE-API section 3: what the network takes back, the page shows at once', async () => {
    const page = await stage.open({ broker: { connected: true } })
    await page.waitForSelector(hook('grant'))
    const payload = { grantId: 'grant-fetch', by: 'network', cause: 'AUTHORIZATION_ISSUE' }
    await page.evaluate((given) => fakeBroker.emit('grantRevoked', given), payload)
    expect(await textOf(page, 'notice')).toMatch(/operator took the permission back/)
    expect(await page.$(hook('grant'))).toBeNull()
    await page.evaluate(() => fakeBroker.emit('disconnect', {}))
    await page.waitForSelector(`${hook('broker-state')}[data-state=gone]`)
    await page.close()
  })

  test('at 320 px nothing is wider than the screen, in any state', async () => {
    const errors = { northbound_connect: { code: 4300, data: { error: 'issuer_mismatch' } } }
    const brokers = [undefined, {}, { errors }]
    for (const broker of brokers) {
      const page = await stage.open({ ...(broker ? { broker } : {}), width: 320 })
      if (broker === brokers[1]) await boosted(page)
      if (broker === brokers[2]) {
        await press(page, 'connect')
        await page.waitForSelector(hook('error'))
      }
      const wider = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement
        return scrollWidth - clientWidth
      })
      expect(wider).toBe(0)
      await page.close()
    }
  })

  test('CSP3: the page kept its own policy throughout, and nothing failed', () => {
    expect(stage.complaints).toEqual([])
  })
})

describe('the demo page, judged by axe', () => {
  let stage: PageStage
  let axe: string
  beforeAll(async () => {
    stage = await startPageStage('chromium')
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  })
  afterAll(() => stage?.close())

  const refused = { northbound_connect: { code: 4001, data: { error: 'access_denied' } } }
  const states: [string, (page: Page) => Promise<unknown>, object | undefined][] = [
    ['no broker', (page) => page.waitForSelector(hook('broker-missing')), undefined],
    ['ready to connect', (page) => page.waitForSelector(hook('connect')), {}],
    ['boosted', boosted, {}],
    [
      'refused',
      async (page) => {
        await press(page, 'connect')
        await page.waitForSelector(hook('error'))
      },
      { errors: refused },
    ],
  ]
  const themes = states.flatMap((state) => [[...state, false] as const, [...state, true] as const])

  test.each(themes)('WCAG 2.2 AA: %s', async (_name, reach, broker, dark) => {
    const page = await stage.open({ ...(broker ? { broker } : {}), dark })
    await reach(page)
    await page.$$eval('details', (entries) => {
      for (const entry of entries) entry.open = true
    })
    await page.evaluate(axe)
    const violations = await page.evaluate(async () => {
      const { axe: judge } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
      }
      const { violations: found } = await judge.run()
      return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
    })
    expect(violations).toEqual([])
    await page.close()
  })

  test('prefers-reduced-motion: the picture stands still', async () => {
    const page = await stage.open({ broker: {} })
    const picture = () => page.$eval('canvas', (canvas) => canvas.toDataURL())
    const before = await picture()
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(await picture()).toBe(before)
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'no-preference' }])
    await page.waitForFunction(
      (still) => document.querySelector('canvas')?.toDataURL() !== still,
      {},
      before,
    )
    await page.close()
  })

  test('the theme follows the system until the player chooses', async () => {
    const page = await stage.open({ dark: true })
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const dark = await ground()
    await page.click(hook('theme'))
    await page.waitForSelector('html[data-theme=light]')
    expect(await ground()).not.toBe(dark)
    await page.reload()
    await page.waitForSelector('html[data-theme=light]')
    await page.close()
  })
})
