/** Sends the grant events of the page contract to the documents of the origin that the grant belongs to. */

import type { ProviderEvents } from '../../../shared/messages/page-api.ts'
import { sendEvent } from '../platform/page-events.ts'
import { listGrants, toPublicGrant } from './grants.ts'

/** Sends the current grants of an origin. */
export async function sendGrantsChanged(origin: string): Promise<void> {
  await sendEvent(origin, 'grantsChanged', {
    grants: (await listGrants(origin)).map(toPublicGrant),
  })
}

export function sendGrantRevoked(
  origin: string,
  payload: ProviderEvents['grantRevoked'],
): Promise<void> {
  return sendEvent(origin, 'grantRevoked', payload)
}

/** Tells the documents of an origin that a grant has ended by its own time. */
export function sendGrantExpired(
  origin: string,
  payload: ProviderEvents['grantExpired'],
): Promise<void> {
  return sendEvent(origin, 'grantExpired', payload)
}
