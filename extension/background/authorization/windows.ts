/**
 * The windows a user is shown: the broker's own for consent, and an ordinary one with an address bar
 * for the operator's sign-in. Firefox for Android has no windows, so there each is a tab.
 */

import browser, { type Tabs } from 'webextension-polyfill'
import { WINDOW_POLL_INTERVAL_MS, WINDOW_SHOWN_TIMEOUT_MS } from '../../limits.ts'

interface Size {
  width: number
  height: number
}

const CONSENT_SIZE: Size = { width: 460, height: 680 }
const SIGN_IN_SIZE: Size = { width: 520, height: 760 }
const WAITING_PICTURE = 'icons/128.png'

/** What a tab shows, as far as the broker may see that. */
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

const consentUrl = (flowId: string) =>
  browser.runtime.getURL(`ui/consent/index.html?flow=${encodeURIComponent(flowId)}`)

const waitingUrl = (flowId: string) => `${browser.runtime.getURL(WAITING_PICTURE)}#${flowId}`

/** @returns The tab of the consent window. */
export function openConsent(flowId: string): Promise<number> {
  return openTab(consentUrl(flowId), 'popup', CONSENT_SIZE)
}

/**
 * @returns The tab of the sign-in window. Until it is sent on it shows a still picture of the broker's
 * own, by whose address it is found should the worker stop before it has written the number down.
 */
export async function openSignIn(flowId: string): Promise<number> {
  const tabId = await openTab(waitingUrl(flowId), 'normal', SIGN_IN_SIZE)
  await waitUntilShown(tabId)
  return tabId
}

/** Firefox forgets where a tab is sent before it has shown its first page. */
async function waitUntilShown(tabId: number): Promise<void> {
  const end = Date.now() + WINDOW_SHOWN_TIMEOUT_MS
  while (Date.now() < end) {
    const tab = await readTabState(tabId)
    if (!tab || isAtWaitingPicture(tab)) return
    await new Promise((resolve) => setTimeout(resolve, WINDOW_POLL_INTERVAL_MS))
  }
}

/** Whether a tab stands at the broker's own picture and goes nowhere. */
export function isAtWaitingPicture({ url, status }: TabState): boolean {
  return status === 'complete' && url?.startsWith(browser.runtime.getURL(WAITING_PICTURE)) === true
}

async function findTabs(urls: string[]): Promise<number[]> {
  const tabs: (Tabs.Tab & { pendingUrl?: string })[] = await browser.tabs.query({})
  return tabs
    .filter(({ url, pendingUrl }) => urls.includes(pendingUrl || url || ''))
    .map(({ id }) => id ?? browser.tabs.TAB_ID_NONE)
}

/** The tab of a flow's consent window, whether or not anybody wrote its number down. */
export async function findConsentTab(flowId: string): Promise<number | undefined> {
  return (await findTabs([consentUrl(flowId)]))[0]
}

/** Closes what a flow has opened and not sent on yet, whether or not anybody wrote it down. */
export async function closeBrokerTabs(flowId: string): Promise<void> {
  await Promise.all((await findTabs([consentUrl(flowId), waitingUrl(flowId)])).map(closeTab))
}

/** @returns Whether the tab was still there. */
export async function navigateTab(tabId: number, url: string): Promise<boolean> {
  return browser.tabs.update(tabId, { url }).then(
    () => true,
    () => false,
  )
}

/** Whether the tab is still there, and what it shows as far as the broker may see that. */
export async function readTabState(tabId: number): Promise<TabState | undefined> {
  try {
    const { url, status } = await browser.tabs.get(tabId)
    return { url, status }
  } catch {
    return undefined
  }
}

/** Closes the tab. One that is closed already is no error. */
export async function closeTab(tabId: number | undefined): Promise<void> {
  if (tabId === undefined) return
  await browser.tabs.remove(tabId).catch(() => {})
}
