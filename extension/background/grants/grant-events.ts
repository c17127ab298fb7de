/** Sends the events of grants to the documents of their origin. */

import type { ProviderEvents } from '../../../shared/messages/page-api.ts'
import { sendEvent } from '../platform/page-events.ts'
import { grantsOf, publicGrant } from './grants.ts'

/** Sends the grants that an origin has now. */
export async function sendGrantsChanged(origin: string): Promise<void> {
  await sendEvent(origin, 'grantsChanged', { grants: (await grantsOf(origin)).map(publicGrant) })
}

export function sendGrantRevoked(
  origin: string,
  payload: ProviderEvents['grantRevoked'],
): Promise<void> {
  return sendEvent(origin, 'grantRevoked', payload)
}
