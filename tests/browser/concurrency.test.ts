/**
 * Tests concurrent callers in several tabs. All callers share a single authorization, a single refresh and a
 * single token.
 *
 * Seen to fail when:
 * - `connect` looks for a pending flow before it takes the lock of the origin (X01: many windows);
 * - `obtainAccessToken` does not join a renewal in flight (X02: many refreshes);
 * - the worker that resumes a call sends a refresh token that was sent before (X03);
 * - a refresh token that the server has rejected is kept (C12);
 * - the popup proposes a site as it loads (X15).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import {
  type AccessToken,
  ERROR_CODE,
  type Grant,
  type ProviderDetail,
} from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { REFRESH_REFUSED } from './support/need-the-user.ts'
import { addressOf, openTab, until } from './support/pages.ts'
import {
  authorizationRequests,
  type Called,
  call,
  databaseText,
  endSessions,
  formOf,
  gesture,
  openScreen,
  signIn,
  tokenRequests,
} from './support/stage.ts'
import {
  expireAccessToken,
  getAccessToken,
  refreshRequests,
  refreshTokensSent,
} from './support/tokens.ts'
import { windowsOpenedBy } from './support/windows.ts'

const { alreadyPending, interactionRequired } = ERROR_CODE

describe('concurrent callers', () => {
  const test = base
    // An ID token identifies the subscriber, so that a silent authorization may renew the grant.
    .extend('options', { operator: { openid: 'required' } })
    .extend('wish', { mode: 'token' })
    .extend('tabs', async ({ stage, page }): Promise<Page[]> => {
      const tabs = [page]
      while (tabs.length < 5) tabs.push(await stage.open())
      return tabs
    })

  /** Sends ten equal calls from every tab concurrently. */
  async function callFiftyTimes<T>(
    tabs: Page[],
    method: string,
    params: object,
  ): Promise<Called<T>[]> {
    const calling = tabs.map((tab) =>
      tab.evaluate(
        (called, given) =>
          Promise.all(Array.from({ length: 10 }, () => window.call(called, given))),
        method,
        params as Record<string, unknown>,
      ),
    )
    return (await Promise.all(calling)).flat() as Called<T>[]
  }

  const getTokens = (tabs: Page[], { grantId }: Grant) =>
    callFiftyTimes<AccessToken>(tabs, 'northbound_getAccessToken', { grantId })

  test('X01: 50 wishes for a grant cause one authorization', async ({
    stage,
    page,
    tabs,
    wish,
  }) => {
    await gesture(page)
    const calling = callFiftyTimes<Grant>(tabs, 'northbound_connect', stage.wish(wish))
    await signIn(stage)
    const outcomes = await calling
    const grantIds = outcomes.flatMap(({ result }) => (result ? [result.grantId] : []))
    expect(new Set(grantIds).size).toBe(1)
    for (const { error } of outcomes) {
      if (error) expect([alreadyPending, interactionRequired]).toContain(error.code)
    }
    expect(authorizationRequests(stage)).toHaveLength(1)
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('X02: 50 callers in 5 tabs at expiry cause one refresh, and get the same token', async ({
    stage,
    page,
    tabs,
    granted,
  }) => {
    await expireAccessToken(stage, page, granted.grantId)
    const outcomes = await getTokens(tabs, granted)
    expect(outcomes).toHaveLength(50)
    expect(outcomes.filter(({ error }) => error)).toEqual([])
    expect(new Set(outcomes.map(({ result }) => result?.accessToken)).size).toBe(1)
    expect(refreshRequests(stage)).toHaveLength(1)
  })

  test('X04: one caller gives up, and the others do not notice', async ({
    stage,
    page,
    granted: { grantId },
  }) => {
    await expireAccessToken(stage, page, grantId)
    const { faults } = stage.network
    const held = faults.add({ path: '/token', action: { type: 'hold', before: 'answering' } })
    const calling = page.evaluate(
      (params) => {
        const { provider } = window.detail as ProviderDetail
        const controller = new AbortController()
        const getToken = (more: { signal?: AbortSignal } = {}) =>
          provider.request({ method: 'northbound_getAccessToken', params, ...more }).then(
            () => 'token',
            () => 'error',
          )
        const first = getToken({ signal: controller.signal })
        addEventListener('give-up', () => controller.abort())
        void first.then(() => {
          document.title = 'given up'
        })
        return Promise.all([first, getToken(), getToken()])
      },
      { grantId },
    )
    await until('the refresh', async () => tokenRequests(stage).length === 1)
    await page.evaluate(() => void dispatchEvent(new Event('give-up')))
    await until('the first caller', async () => (await page.title()) === 'given up')
    // The broker processes the event before it answers this call.
    await call(page, 'broker_getInfo')
    faults.remove(held)
    expect(await calling).toEqual(['error', 'token', 'token'])
  })

  test('X03: the worker dies in the middle of a refresh, and every caller is answered', async ({
    stage,
    page,
    tabs,
    granted,
    worker,
  }) => {
    await expireAccessToken(stage, page, granted.grantId)
    const { faults } = stage.network
    const held = faults.add({
      path: '/token',
      times: 1,
      action: { type: 'hold', before: 'answering' },
    })
    const calling = getTokens(tabs, granted)
    await until('the refresh', async () => tokenRequests(stage).length === 1)
    await worker.stop()
    const outcomes = await calling
    faults.remove(held)
    // It is unknown whether the server consumed the refresh token. A silent authorization replaces it.
    expect(outcomes).toHaveLength(50)
    expect(outcomes.filter(({ error }) => error)).toEqual([])
    expect(new Set(outcomes.map(({ result }) => result?.accessToken)).size).toBe(1)
    expect(authorizationRequests(stage).map(({ query }) => query.prompt)).toEqual(['none'])
    await expect
      .poll(() => tokenRequests(stage).map((entry) => formOf(entry).grant_type))
      .toEqual(['refresh_token', 'authorization_code'])
  })

  test('C12: a refresh token that the server refuses is sent once, and no window opens', async ({
    stage,
    page,
    tabs,
    granted,
  }) => {
    await expireAccessToken(stage, page, granted.grantId)
    await endSessions(stage)
    stage.network.faults.add(REFRESH_REFUSED)
    const opened = await windowsOpenedBy(stage, async () => {
      const outcomes = await getTokens(tabs, granted)
      const codes = outcomes.map(({ error }) => error?.code)
      expect(codes).toEqual(Array(50).fill(interactionRequired))
      const later = await getAccessToken(page, { grantId: granted.grantId })
      expect(later.error?.code).toBe(interactionRequired)
    })
    expect(opened).toBe(0)
    expect(refreshTokensSent(stage)).toHaveLength(1)
  })
})

interface ExtensionStorage {
  storage: Record<'local' | 'session', { get(): Promise<object> }>
  alarms: { getAll(): Promise<object[]> }
}

/** Returns all stored state of the broker: databases, storage, alarms. */
async function brokerState(observer: Page): Promise<object> {
  const areas = await observer.evaluate(async () => {
    const { storage, alarms } = (globalThis as unknown as { chrome: ExtensionStorage }).chrome
    return [await storage.local.get(), await storage.session.get(), await alarms.getAll()]
  })
  return { areas, databases: await databaseText(observer) }
}

const POPUP = '/ui/popup/index.html'

/** Stages of loading at which the popup is closed: the tab exists, the address is set, the script has run. */
const MOMENTS: ((popup: Page) => Promise<unknown>)[] = [
  () => Promise.resolve(),
  (popup) => until('its address', async () => (await addressOf(popup)).includes(POPUP)),
  (popup) => popup.waitForSelector('#screen > *'),
]

describe('the popup', () => {
  base(
    'X15: the popup closed while it loads leaves nothing behind',
    async ({ stage, page, granted, worker }) => {
      const observer = await openScreen(stage, '/ui/sites/index.html')
      const before = await brokerState(observer)
      for (const reached of MOMENTS) {
        // The first message of the popup waits until the worker runs.
        await worker.stop()
        const popup = await openTab(stage.browser)
        void popup.goto(stage.brokerOrigin + POPUP).catch(() => {})
        await reached(popup)
        await popup.close()
        expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([granted])
      }
      expect(await brokerState(observer)).toEqual(before)
      const popup = await openScreen(stage)
      await popup.waitForSelector('[data-testid=site]')
    },
  )
})
