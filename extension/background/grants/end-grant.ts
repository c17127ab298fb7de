/** Ends a grant: here at once, at the server now or later, and with an event to its pages. @see RFC 7009 */

import { log } from '../platform/log.ts'
import { sendGrantRevoked, sendGrantsChanged } from './grant-events.ts'
import { deleteGrant, type GrantRecord } from './grants.ts'
import { endTokens } from './token-records.ts'

/** @returns Whether the server knows. */
export async function endGrant(
  grant: GrantRecord,
  by: 'user' | 'page' | 'network',
  cause?: string,
): Promise<boolean> {
  await deleteGrant(grant)
  log.record('revocation', cause === undefined ? `by ${by}` : `by ${by}: ${cause}`, grant)
  const isServerInformed = await endTokens(grant)
  await sendGrantRevoked(grant.origin, {
    grantId: grant.grantId,
    by,
    ...(cause !== undefined && { cause }),
  })
  await sendGrantsChanged(grant.origin)
  return isServerInformed
}
