/** Events, told only to the documents whose origin they concern. */

import browser, { type Tabs } from 'webextension-polyfill'
import type { BrokerEvent } from '../../../shared/messages/broker-channel.ts'
import type { ProviderEvent, ProviderEvents } from '../../../shared/messages/page-api.ts'
import { grantsOf, publicGrant } from '../grants/grants.ts'

function isAt({ url }: Tabs.Tab, origin: string): boolean {
  return url !== undefined && URL.canParse(url) && new URL(url).origin === origin
}

async function tell<E extends ProviderEvent>(
  origin: string,
  event: E,
  payload: ProviderEvents[E],
  concerns: (tab: Tabs.Tab) => boolean = (tab) => isAt(tab, origin),
): Promise<void> {
  const message: BrokerEvent = { origin, event, payload }
  const tabs = (await browser.tabs.query({})).filter(concerns)
  await Promise.allSettled(
    tabs.map(({ id }) => browser.tabs.sendMessage(id ?? -1, message, { frameId: 0 })),
  )
}

export async function announceGrants(origin: string): Promise<void> {
  await tell(origin, 'grantsChanged', { grants: (await grantsOf(origin)).map(publicGrant) })
}

/**
 * For documents of a site that was taken back. Where the browser took it, it does not say any more which
 * tabs are there; a document of another origin keeps what it hears from its page.
 */
export function announceDisconnect(origin: string): Promise<void> {
  return tell(origin, 'disconnect', {}, (tab) => tab.url === undefined || isAt(tab, origin))
}

export function announceRevoked(
  origin: string,
  payload: ProviderEvents['grantRevoked'],
): Promise<void> {
  return tell(origin, 'grantRevoked', payload)
}
