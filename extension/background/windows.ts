/**
 * The windows a user is shown: the broker's own for consent, and an ordinary one with an address bar
 * for the operator's sign-in. Firefox for Android has no windows, so there each is a tab.
 */

import browser from 'webextension-polyfill'

interface Size {
  width: number
  height: number
}

const CONSENT: Size = { width: 460, height: 680 }
const SIGN_IN: Size = { width: 520, height: 760 }

async function openTab(url: string, type: 'popup' | 'normal', size: Size): Promise<number> {
  if (!browser.windows) {
    const { id } = await browser.tabs.create({ url, active: true })
    return id ?? browser.tabs.TAB_ID_NONE
  }
  const opened = await browser.windows.create({ url, type, focused: true, ...size })
  return opened.tabs?.[0]?.id ?? browser.tabs.TAB_ID_NONE
}

/** @returns The tab of the consent window. */
export function openConsent(flowId: string): Promise<number> {
  const url = browser.runtime.getURL(`ui/consent/index.html?flow=${encodeURIComponent(flowId)}`)
  return openTab(url, 'popup', CONSENT)
}

/** @returns The tab of the sign-in window, which shows nothing yet. */
export function openSignIn(): Promise<number> {
  return openTab('about:blank', 'normal', SIGN_IN)
}

export async function navigate(tabId: number, url: string): Promise<void> {
  await browser.tabs.update(tabId, { url })
}

/** Whether the tab is still there, and what it shows as far as the broker may see that. */
export async function showing(tabId: number): Promise<{ url?: string | undefined } | undefined> {
  try {
    const { url } = await browser.tabs.get(tabId)
    return { url }
  } catch {
    return undefined
  }
}

/** Closes the tab. One that is closed already is no error. */
export async function close(tabId: number | undefined): Promise<void> {
  if (tabId === undefined) return
  await browser.tabs.remove(tabId).catch(() => {})
}
