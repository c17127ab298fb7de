/**
 * Finds sign-in windows whose redirect URI the browser does not load, and whose authorization response the broker
 * therefore never gets: an administrator's list of allowed sites lacks the host of the redirect URI. The browser
 * then shows its own error page at that address, and requests nothing.
 *
 * The listener exists only while a sign-in window is open: an event of any tab would otherwise wake the worker.
 * A new worker looks at the tab when it resumes the flow (`authorization-flow.ts`).
 *
 * Border: the browser's event of a response comes before the address of the tab changes (`response-arrival.ts`).
 */

import browser, { type Tabs } from 'webextension-polyfill'
import { redirectBase } from '../platform/redirect-base.ts'
import { responseArrives } from './response-arrival.ts'

type Report = () => void

const watched = new Map<number, Report>()

/** Reports a tab that is at the redirect URI without a response. */
async function judgeTab(tabId: number): Promise<void> {
  if (!(await responseArrives(tabId))) watched.get(tabId)?.()
}

function handleUpdate(tabId: number, { url }: Tabs.OnUpdatedChangeInfoType): void {
  if (watched.has(tabId) && url?.startsWith(redirectBase)) void judgeTab(tabId)
}

/** @param report Called when the tab is at the redirect URI and no response arrives. It may be called more than once. */
export function watchTab(tabId: number, report: Report): void {
  // A listener that is there already is not added again.
  browser.tabs.onUpdated.addListener(handleUpdate)
  watched.set(tabId, report)
}

/** Ends the watch of a tab that is closed. */
export function unwatchTab(tabId: number): void {
  watched.delete(tabId)
  if (watched.size === 0) browser.tabs.onUpdated.removeListener(handleUpdate)
}
