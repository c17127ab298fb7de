/**
 * Opens, finds and closes the windows of flows: a popup of the broker for the consent, and a tab beside the page for
 * the sign-in at the operator, since a window takes more time than everything else of a sign-in. A page in a window
 * without tabs (a popup, an installed application) gets a window with an address bar instead. Firefox for Android has
 * no windows: there each of them is a tab.
 *
 * A worker may be stopped before it has stored the tab of a window. So the address of each window
 * contains the flow id, by which a new worker finds it.
 */

import browser, { type Tabs } from 'webextension-polyfill'
import {
  NAVIGATION_POLL_INTERVAL_MS,
  WINDOW_ADDRESS_TIMEOUT_MS,
  WINDOW_POLL_INTERVAL_MS,
  WINDOW_SHOWN_TIMEOUT_MS,
} from '../../limits.ts'

interface Size {
  width: number
  height: number
}

const CONSENT_SIZE: Size = { width: 460, height: 680 }
const SIGN_IN_SIZE: Size = { width: 520, height: 760 }
const WAITING_PICTURE = 'icons/128.png'

/** Address and loading status of a tab, as far as the broker's permissions let it read them. */
export interface TabState {
  url?: string | undefined
  status?: string | undefined
}

async function openTab(url: string, type: 'popup' | 'normal', size: Size): Promise<number> {
  if (!browser.windows) {
    const { id } = await browser.tabs.create({ url, active: true })
    return id ?? browser.tabs.TAB_ID_NONE
  }
  const opened = await browser.windows.create({ url, type, focused: true, ...size })
  return opened.tabs?.[0]?.id ?? browser.tabs.TAB_ID_NONE
}

const getConsentUrl = (flowId: string) =>
  browser.runtime.getURL(`ui/consent/index.html?flow=${encodeURIComponent(flowId)}`)

const getWaitingUrl = (flowId: string) => `${browser.runtime.getURL(WAITING_PICTURE)}#${flowId}`

/** @returns The tab of the consent window. */
export function openConsent(flowId: string): Promise<number> {
  return openTab(getConsentUrl(flowId), 'popup', CONSENT_SIZE)
}

/** The tab of a page, if its window has tabs. */
async function findTabWithNeighbors(pageTabId: number): Promise<Tabs.Tab | undefined> {
  const page = await browser.tabs.get(pageTabId).catch(() => undefined)
  if (!browser.windows || page?.windowId === undefined) return page
  const window = await browser.windows.get(page.windowId).catch(() => undefined)
  return window?.type === 'normal' ? page : undefined
}

/**
 * Opens the sign-in tab beside the page, to which the user returns at its end. Until the broker navigates it to the
 * operator, it shows a picture of the extension, whose address identifies the flow.
 *
 * @param pageTabId Tab of the page.
 * @returns The sign-in tab.
 */
export async function openSignIn(flowId: string, pageTabId: number): Promise<number> {
  const url = getWaitingUrl(flowId)
  const page = await findTabWithNeighbors(pageTabId)
  if (!page) return openTab(url, 'normal', SIGN_IN_SIZE)
  const { windowId, index } = page
  const place = {
    index: index + 1,
    openerTabId: pageTabId,
    ...(windowId !== undefined && { windowId }),
  }
  // The consent window may have the focus.
  if (windowId !== undefined) {
    void browser.windows?.update(windowId, { focused: true }).catch(() => {})
  }
  const { id } = await browser.tabs.create({ url, active: true, ...place })
  return id ?? browser.tabs.TAB_ID_NONE
}

/** Waits until a new sign-in window can be navigated: Firefox drops a navigation before the first page is loaded. */
export async function waitUntilNavigable(tabId: number): Promise<void> {
  if (__TARGET__ === 'chromium') return
  const end = Date.now() + WINDOW_SHOWN_TIMEOUT_MS
  while (Date.now() < end) {
    const tab = await readTabState(tabId)
    if (!tab || isAtWaitingPicture(tab)) return
    await new Promise((resolve) => setTimeout(resolve, WINDOW_POLL_INTERVAL_MS))
  }
}

/** Waits until a tab has no navigation under way, or is closed, at most until the deadline. */
export async function waitUntilLoaded(tabId: number, deadlineMs: number): Promise<void> {
  while (Date.now() < deadlineMs && (await readTabState(tabId))?.status === 'loading') {
    await new Promise((resolve) => setTimeout(resolve, NAVIGATION_POLL_INTERVAL_MS))
  }
}

/** Tells whether a tab has loaded the waiting picture and no navigation is under way. */
export function isAtWaitingPicture({ url, status }: TabState): boolean {
  return status === 'complete' && url?.startsWith(browser.runtime.getURL(WAITING_PICTURE)) === true
}

async function findTabs(urls: string[]): Promise<number[]> {
  const tabs: (Tabs.Tab & { pendingUrl?: string })[] = await browser.tabs.query({})
  return tabs
    .filter(({ url, pendingUrl }) => urls.includes(pendingUrl || url || ''))
    .map(({ id }) => id ?? browser.tabs.TAB_ID_NONE)
}

/** Finds the tab of a flow's consent window by its address. */
export async function findConsentTab(flowId: string): Promise<number | undefined> {
  return (await findTabs([getConsentUrl(flowId)]))[0]
}

/**
 * Finds the tab of the consent window that an earlier worker may have opened a moment ago: its address may not be
 * there yet.
 */
export async function waitForConsentTab(flowId: string): Promise<number | undefined> {
  const end = Date.now() + WINDOW_ADDRESS_TIMEOUT_MS
  let tabId = await findConsentTab(flowId)
  while (tabId === undefined && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, WINDOW_POLL_INTERVAL_MS))
    tabId = await findConsentTab(flowId)
  }
  return tabId
}

/**
 * Closes the consent window of a flow, and its sign-in window if that still shows the waiting picture.
 */
export async function closeBrokerTabs(flowId: string): Promise<void> {
  await Promise.all((await findTabs([getConsentUrl(flowId), getWaitingUrl(flowId)])).map(closeTab))
}

/**
 * Shows the waiting picture again, once the response has arrived. Chromium would show the page "is blocked" instead,
 * and create a process for it beside the token request. Firefox stays at the page of the operator.
 */
export function showWaitingPicture(flowId: string, tabId: number): void {
  if (__TARGET__ === 'chromium') void navigateTab(tabId, getWaitingUrl(flowId))
}

/** Navigates a tab. @returns `false` if the tab is closed. */
export async function navigateTab(tabId: number, url: string): Promise<boolean> {
  return browser.tabs.update(tabId, { url }).then(
    () => true,
    () => false,
  )
}

/** Reads the state of a tab. @returns `undefined` if the tab is closed. */
export async function readTabState(tabId: number): Promise<TabState | undefined> {
  try {
    const { url, status } = await browser.tabs.get(tabId)
    return { url, status }
  } catch {
    return undefined
  }
}

/** Tells whether the user sees a tab: it is the active tab of a window that is not minimized. */
export async function isTabShown(tabId: number): Promise<boolean> {
  try {
    const { active, windowId } = await browser.tabs.get(tabId)
    if (!active || !browser.windows || windowId === undefined) return active
    return (await browser.windows.get(windowId)).state !== 'minimized'
  } catch {
    return false
  }
}

/**
 * Closes a tab, from which the user returns to the page: Chromium would go on to another tab that the page has opened.
 * A tab that is closed already is no error.
 */
export async function closeTab(tabId: number | undefined): Promise<void> {
  if (tabId === undefined) return
  const tab = await browser.tabs.get(tabId).catch(() => undefined)
  if (tab?.active && tab.openerTabId !== undefined) {
    await browser.tabs.update(tab.openerTabId, { active: true }).catch(() => {})
  }
  await browser.tabs.remove(tabId).catch(() => {})
}
