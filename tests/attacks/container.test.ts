/**
 * Tests containers of Firefox (contextual identities). A page in a container gets no grant, no subscriber and no
 * event of the tabs outside of it, and opens no window. A user context of WebDriver is a container.
 *
 * Seen to fail when `verifyPageSender` does not look at the cookie store (the page in the container reads the
 * grant and its `subject`), when an event goes to each tab of the origin, and when the popup does not ask for
 * the state of its tab.
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { ERROR_CODE, type Grant, type Provider } from '../../shared/messages/page-api.ts'
import type { Site } from '../../shared/messages/screen-channel.ts'
import { BROWSER, test as base } from '../browser/fixtures.ts'
import { addressOf, until } from '../browser/support/pages.ts'
import { askBackground } from '../browser/support/sites-stage.ts'
import { authorizationRequests, call, gesture, openScreen } from '../browser/support/stage.ts'

interface ListedTab {
  id: number
  url?: string
  cookieStoreId: string
}

/** `contained`: a tab of the application in a container. */
const test = base
  .extend('container', async ({ stage }, { onCleanup }) => {
    const container = await stage.browser.createBrowserContext()
    onCleanup(() => container.close())
    return container
  })
  .extend('contained', async ({ stage, container }) => {
    const page = await container.newPage()
    await page.goto(stage.application.origin)
    return page
  })

/** Makes the page count the events `grantsChanged` that it receives. */
const listen = (page: Page) =>
  page.evaluate(async () => {
    const { provider } = (await window.broker()) as { provider: Provider }
    Object.assign(window, { changes: 0 })
    provider.on('grantsChanged', () => {
      ;(window as unknown as { changes: number }).changes += 1
    })
  })

const changes = (page: Page) =>
  page.evaluate(() => (window as unknown as { changes: number }).changes)

const listTabs = (screen: Page): Promise<ListedTab[]> =>
  screen.evaluate(() =>
    (
      globalThis as unknown as {
        browser: { tabs: { query(filter: object): Promise<ListedTab[]> } }
      }
    ).browser.tabs.query({}),
  )

describe.runIf(BROWSER === 'firefox')('a page in a container', () => {
  test('A05: gets nothing of a grant that its origin has outside of the container', async ({
    stage,
    page,
    granted,
    contained,
  }) => {
    const before = authorizationRequests(stage).length
    await gesture(contained)
    const calls: [method: string, params?: object][] = [
      ['broker_getInfo'],
      ['northbound_getGrants'],
      ['northbound_connect', stage.wish()],
      ['northbound_fetch', { url: `${granted.apis[0]?.resource}/x/subscriptions` }],
      ['northbound_getAccessToken', { grantId: granted.grantId }],
      ['northbound_revoke', { grantId: granted.grantId }],
    ]
    for (const [method, params] of calls) {
      const { error } = await call(contained, method, params)
      expect(error, method).toMatchObject({
        code: ERROR_CODE.forbiddenContext,
        message: 'the broker does not run in a container tab',
      })
      expect(JSON.stringify(error)).not.toContain(granted.subject ?? granted.grantId)
    }
    expect(authorizationRequests(stage)).toHaveLength(before)
    const { result } = await call<Grant[]>(page, 'northbound_getGrants')
    expect(result).toEqual([granted])
  })

  test('A05: receives no event of the tabs outside of the container', async ({
    stage,
    page,
    granted,
    contained,
  }) => {
    const other = await stage.open()
    for (const listener of [other, contained]) await listen(listener)
    await call(page, 'northbound_revoke', { grantId: granted.grantId })
    await until('the event outside of the container', async () => (await changes(other)) > 0)
    // The broker answers this call after it has sent the event.
    await call(contained, 'northbound_getGrants')
    expect(await changes(contained)).toBe(0)
  })

  test('A05: the popup says that Northkey does not run in this tab, and offers no switch', async ({
    stage,
    contained,
  }) => {
    // The popup shows the state of the active tab: here that is the tab in which it is open.
    const path = '/ui/popup/index.html'
    // The driver gets no load event of such a page.
    void contained.goto(stage.brokerOrigin + path).catch(() => {})
    await until('the popup', async () => (await addressOf(contained)).includes(path))
    const card = await contained.waitForSelector('[data-testid=site][data-state=container]')
    const text = await card?.evaluate((element) => element.textContent)
    expect(text).toContain('Northkey does not run in container tabs')
    expect(await contained.$('[data-testid=use], [data-testid=stop]')).toBeNull()
  })

  test('A05: the state of a site is that of its tab', async ({ stage, page, contained }) => {
    const { origin } = stage.application
    await Promise.all([page, contained].map((tab) => call(tab, 'broker_getInfo')))
    const screen = await openScreen(stage)
    const tabs = (await listTabs(screen)).filter(({ url }) => url?.startsWith(origin))
    const states = tabs.map(async ({ id, cookieStoreId }) => {
      const { state } = await askBackground<Site>(screen, 'getSite', { origin, tabId: id })
      return [cookieStoreId.replace(/\d+$/, 'N'), state]
    })
    expect(new Map((await Promise.all(states)) as [string, string][])).toEqual(
      new Map([
        ['firefox-default', 'always'],
        ['firefox-container-N', 'container'],
      ]),
    )
  })
})
