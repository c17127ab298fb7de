/** Sends the events of grants to the documents of their origin. */

import type { ProviderEvents } from '../../../shared/messages/page-api.ts'
import { sendEvent } from '../platform/page-events.ts'
import { listGrants, toPublicGrant } from './grants.ts'

/** Sends the grants that an origin has now. */
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
