/** Events, told only to the documents whose origin they concern. */

import browser from 'webextension-polyfill'
import type { BrokerEvent } from '../../shared/messages/broker-channel.ts'
import type { ProviderEvent, ProviderEvents } from '../../shared/messages/page-api.ts'
import { grantsOf, publicGrant } from './grants.ts'

async function tell<E extends ProviderEvent>(
  origin: string,
  event: E,
  payload: ProviderEvents[E],
): Promise<void> {
  const message: BrokerEvent = { origin, event, payload }
  const tabs = await browser.tabs.query({})
  const concerned = tabs.filter(
    ({ url }) => url !== undefined && URL.canParse(url) && new URL(url).origin === origin,
  )
  await Promise.allSettled(
    concerned.map(({ id }) => browser.tabs.sendMessage(id ?? -1, message, { frameId: 0 })),
  )
}

export async function announceGrants(origin: string): Promise<void> {
  await tell(origin, 'grantsChanged', { grants: (await grantsOf(origin)).map(publicGrant) })
}

/** For documents of a site that was taken back. */
export function announceDisconnect(origin: string): Promise<void> {
  return tell(origin, 'disconnect', {})
}

export function announceRevoked(
  origin: string,
  payload: ProviderEvents['grantRevoked'],
): Promise<void> {
  return tell(origin, 'grantRevoked', payload)
}
