/**
 * Sends events of the page contract to pages, only to the documents of the origin that an event concerns, and
 * to none in a container: an event there would connect the visitor with the other tabs.
 */

import browser, { type Tabs } from 'webextension-polyfill'
import type { BrokerEvent } from '../../../shared/messages/broker-channel.ts'
import type { ProviderEvent, ProviderEvents } from '../../../shared/messages/page-api.ts'
import { isInContainer } from './container.ts'

function isAt({ url }: Tabs.Tab, origin: string): boolean {
  return url !== undefined && URL.canParse(url) && new URL(url).origin === origin
}

/** @param isConcerned Selects the tabs that get the event. */
export async function sendEvent<E extends ProviderEvent>(
  origin: string,
  event: E,
  payload: ProviderEvents[E],
  isConcerned: (tab: Tabs.Tab) => boolean = (tab) => isAt(tab, origin) && !isInContainer(tab),
): Promise<void> {
  const message: BrokerEvent = { origin, event, payload }
  const tabs = (await browser.tabs.query({})).filter(isConcerned)
  await Promise.allSettled(
    tabs.map(({ id }) => browser.tabs.sendMessage(id ?? -1, message, { frameId: 0 })),
  )
}

/**
 * Sends `disconnect` to the documents of a site that was switched off. After the browser has withdrawn the
 * permission it no longer shows the URLs of tabs, so every tab without a URL gets the message too. A
 * content script of another origin does not pass it to its page. It goes to containers too, where the content
 * scripts are.
 */
export function sendDisconnect(origin: string): Promise<void> {
  return sendEvent(origin, 'disconnect', {}, (tab) => tab.url === undefined || isAt(tab, origin))
}
