/** Sends events to pages: only to the documents whose origin they concern. */

import browser, { type Tabs } from 'webextension-polyfill'
import type { BrokerEvent } from '../../../shared/messages/broker-channel.ts'
import type { ProviderEvent, ProviderEvents } from '../../../shared/messages/page-api.ts'

function isAt({ url }: Tabs.Tab, origin: string): boolean {
  return url !== undefined && URL.canParse(url) && new URL(url).origin === origin
}

/** @param isConcerned Selects the tabs that get the event. */
export async function sendEvent<E extends ProviderEvent>(
  origin: string,
  event: E,
  payload: ProviderEvents[E],
  isConcerned: (tab: Tabs.Tab) => boolean = (tab) => isAt(tab, origin),
): Promise<void> {
  const message: BrokerEvent = { origin, event, payload }
  const tabs = (await browser.tabs.query({})).filter(isConcerned)
  await Promise.allSettled(
    tabs.map(({ id }) => browser.tabs.sendMessage(id ?? -1, message, { frameId: 0 })),
  )
}

/**
 * For documents of a site that was taken back. Where the browser took it, it does not say any more which
 * tabs are there; a document of another origin keeps what it receives from its page.
 */
export function sendDisconnect(origin: string): Promise<void> {
  return sendEvent(origin, 'disconnect', {}, (tab) => tab.url === undefined || isAt(tab, origin))
}
