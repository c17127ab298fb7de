/**
 * Many callers, many tabs, and users who do things twice. One authorization, one refresh, one grant.
 *
 * Seen to fail when `connect` looks for a pending flow without taking the origin first (many windows),
 * when `accessTokenOf` does not join a renewal that runs (many refreshes), and when a port that closes
 * aborts no calls (X10, X11: the window stays).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AccessToken, ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { gone, pageAt, pagesAt } from './support/pages.ts'
import {
  answerConsent,
  authorizationRequests,
  BROWSERS,
  type Called,
  call,
  databaseText,
  endSessions,
  formOf,
  openScreen,
  type Stage,
  signIn,
  signInPage,
  startOver,
  startStage,
  tokenRequests,
} from './support/stage.ts'
import { workerSwitch } from './support/worker.ts'

/** With the broker's margin of 30 s, a token serves for six. */
const TOKEN_SECONDS = 36
const FRESH_MS = 6_500

describe.each(BROWSERS)('in %s, callers at once', (name) => {
  let stage: Stage
  let tabs: Page[]
  let grantId: string

  beforeAll(async () => {
    stage = await startStage(name, { requireConsent: false, accessTokenSeconds: TOKEN_SECONDS })
    tabs = []
  })
  afterAll(() => stage?.close())

  /** Ten equal calls in each tab, all at once. */
  async function fifty<T>(method: string, params: object): Promise<Called<T>[]> {
    const asked = tabs.map((tab) =>
      tab.evaluate(
        (called, given) =>
          Promise.all(Array.from({ length: 10 }, () => window.call(called, given))),
        method,
        params as Record<string, unknown>,
      ),
    )
    return (await Promise.all(asked)).flat() as Called<T>[]
  }

  const refreshes = () =>
    tokenRequests(stage).filter((entry) => formOf(entry).grant_type === 'refresh_token')

  test('X01: 50 wishes for a grant cause one authorization', async () => {
    for (const tab of tabs) await tab.close()
    tabs = [await startOver(stage)]
    while (tabs.length < 5) tabs.push(await stage.open())
    await gesture(tabs[0] as Page)
    const wishes = fifty<Grant>('northbound_connect', stage.wish({ mode: 'token' }))
    await signIn(stage)
    const outcomes = await wishes
    const granted = outcomes.filter(({ result }) => result)
    expect(granted.length).toBeGreaterThan(0)
    grantId = granted[0]?.result?.grantId ?? ''
    for (const { result, error } of outcomes) {
      if (result) expect(result.grantId).toBe(grantId)
      else
        expect([ERROR_CODE.alreadyPending, ERROR_CODE.interactionRequired]).toContain(error?.code)
    }
    expect(authorizationRequests(stage)).toHaveLength(1)
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('X02: 50 callers in 5 tabs at expiry cause one refresh, and get the same token', async () => {
    await new Promise((resolve) => setTimeout(resolve, FRESH_MS))
    const before = refreshes().length
    const outcomes = await fifty<AccessToken>('northbound_getAccessToken', { grantId })
    expect(outcomes).toHaveLength(50)
    expect(outcomes.filter(({ error }) => error)).toEqual([])
    expect(new Set(outcomes.map(({ result }) => result?.accessToken)).size).toBe(1)
    expect(refreshes()).toHaveLength(before + 1)
  })

  test('X04: one caller gives up, and the others do not notice', async () => {
    await new Promise((resolve) => setTimeout(resolve, FRESH_MS))
    const fault = stage.network.faults.add({ path: '/token', action: { type: 'delay', ms: 800 } })
    const [first] = tabs
    const outcomes = await first?.evaluate(
      async (params) => {
        const { provider } = window.detail as {
          provider: { request(args: object): Promise<unknown> }
        }
        const controller = new AbortController()
        const ask = (more: object) =>
          provider.request({ method: 'northbound_getAccessToken', params, ...more }).then(
            () => 'token',
            () => 'refused',
          )
        const asked = [ask({ signal: controller.signal }), ask({}), ask({})]
        setTimeout(() => controller.abort(), 200)
        return Promise.all(asked)
      },
      { grantId },
    )
    stage.network.faults.remove(fault)
    expect(outcomes).toEqual(['refused', 'token', 'token'])
  })

  test('X03: the worker dies in the middle of a refresh, and every caller is answered', async () => {
    const worker = await workerSwitch(stage)
    await new Promise((resolve) => setTimeout(resolve, FRESH_MS))
    const { faults } = stage.network
    const fault = faults.add({ path: '/token', times: 1, action: { type: 'delay', ms: 1_500 } })
    const before = refreshes()
    const asked = fifty<AccessToken>('northbound_getAccessToken', { grantId })
    await expect.poll(() => refreshes().length, { timeout: 5_000 }).toBe(before.length + 1)
    await worker.stop()
    const outcomes = await asked
    faults.remove(fault)
    expect(outcomes).toHaveLength(50)
    const sent = refreshes().map((entry) => formOf(entry).refresh_token)
    expect(new Set(sent).size).toBe(sent.length)
    for (const { error } of outcomes) {
      if (error) {
        expect([ERROR_CODE.interactionRequired, ERROR_CODE.unreachable]).toContain(error.code)
      }
    }
    await worker.close()
  })

  test('C12: a refresh token that the server refuses is sent once, and no window opens', async () => {
    await new Promise((resolve) => setTimeout(resolve, FRESH_MS))
    const { faults } = stage.network
    const fault = faults.add({
      path: '/token',
      times: 1,
      action: {
        type: 'status',
        status: 400,
        headers: { 'content-type': 'application/json' },
        body: '{"error":"invalid_grant"}',
      },
    })
    const before = refreshes().length
    const outcomes = await fifty<AccessToken>('northbound_getAccessToken', { grantId })
    faults.remove(fault)
    expect(refreshes()).toHaveLength(before + 1)
    for (const { error } of outcomes) {
      if (error) expect(error.code).toBe(ERROR_CODE.interactionRequired)
    }
    expect(await pagesAt(stage.browser, stage.network.issuer)).toEqual([])
  })

  test('X15: the popup closed while it loads leaves nothing behind', async () => {
    for (let time = 0; time < 3; time++) {
      const popup = await stage.browser.newPage()
      void popup.goto(`${stage.brokerOrigin}/ui/popup/index.html`).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 30))
      await popup.close()
    }
    const [first] = tabs
    expect((await call(first as Page, 'broker_getInfo')).error).toBeUndefined()
  })
})

describe.each(BROWSERS)('in %s, a user who does things twice, or goes away', (name) => {
  let stage: Stage
  let page: Page

  beforeAll(async () => {
    stage = await startStage(name)
  })
  afterAll(() => stage?.close())
  beforeEach(async () => {
    page = await startOver(stage)
  })
  afterEach(() => page.close())

  const begin = async (at: Page) => {
    await gesture(at)
    const outcome = call<Grant>(at, 'northbound_connect', stage.wish())
    outcome.catch(() => {})
    return { outcome, operator: await allowed() }
  }

  const allowed = async () => {
    await answerConsent(stage, 'allow')
    return signInPage(stage)
  }

  /** For a page that goes away: Firefox’s driver asks anew where it waited for an answer. */
  async function beginAndForget(at: Page): Promise<void> {
    await gesture(at)
    await at.evaluate((wish) => void window.call('northbound_connect', { ...wish }), stage.wish())
    await allowed()
  }

  async function nothingPends(): Promise<void> {
    await gone(stage.browser, stage.network.issuer)
    const screen = await openScreen(stage)
    await expect.poll(async () => (await databaseText(screen)).flows).toEqual([])
    await screen.close()
  }

  test('X11: the tab that asked is closed, and the window goes with it', async () => {
    const asking = await stage.open()
    await beginAndForget(asking)
    await asking.close()
    await nothingPends()
    expect(tokenRequests(stage)).toEqual([])
  })

  if (name === 'chromium') {
    // Firefox has no address that ends a page's process.
    test('X11: the process of the page that asked ends, and the window goes with it', async () => {
      const asking = await stage.open()
      await beginAndForget(asking)
      void asking.goto('chrome://crash').catch(() => {})
      await nothingPends()
      expect(tokenRequests(stage)).toEqual([])
      await asking.close()
    })
  }

  test('X10: the page that asked is loaded again, and may ask again', async () => {
    await beginAndForget(page)
    await page.reload()
    await nothingPends()
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
    expect(tokenRequests(stage)).toEqual([])
  })

  test('X09: back to the sign-in form, and submitted again: one grant', async () => {
    await endSessions(stage)
    const { outcome, operator } = await begin(page)
    const [subscriber] = stage.network.subscribers.all
    await operator.waitForSelector('[data-form=password]')
    await operator.type('[name=phone_number]', subscriber?.phoneNumber ?? '')
    await operator.type('[name=password]', subscriber?.password ?? '')
    await operator.click('[data-form=password] [type=submit]')
    await operator.waitForSelector('[data-form=consent]')
    for (const step of [-1, 1]) {
      await operator.evaluate((by) => history.go(by), step)
      await new Promise((resolve) => setTimeout(resolve, 700))
    }
    await signIn(stage)
    expect((await outcome).result).toMatchObject({ issuer: stage.network.issuer })
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('X12: the operator’s page twice, and both submitted: one grant', async () => {
    const { outcome, operator } = await begin(page)
    await operator.waitForSelector('[data-form=consent]')
    const twin = await stage.browser.newPage()
    await twin.goto(operator.url())
    await twin.waitForSelector('[data-form=consent]')
    await operator.bringToFront()
    await operator.click('[data-form=consent] [value=allow]')
    const { result } = await outcome
    expect(result).toBeDefined()
    await twin.bringToFront()
    await twin.click('[data-form=consent] [value=allow]').catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([result])
    expect(tokenRequests(stage)).toHaveLength(1)
    await twin.close()
  })

  test('X13: allowed by a double click: one authorization request', async () => {
    await gesture(page)
    const outcome = call<Grant>(page, 'northbound_connect', stage.wish())
    const consent = await pageAt(stage.browser, '/ui/consent/')
    await consent.bringToFront()
    await consent.waitForSelector('[data-testid=allow]:not([disabled])')
    await consent.evaluate(() => {
      const button = document.querySelector<HTMLButtonElement>('[data-testid=allow]')
      button?.click()
      button?.click()
    })
    await signIn(stage)
    expect((await outcome).result).toBeDefined()
    expect(authorizationRequests(stage)).toHaveLength(1)
  })
})
