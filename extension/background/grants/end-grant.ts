/**
 * Ends a grant: deletes it and its tokens at once, revokes the tokens at the server (now, or later where that
 * fails), and sends the events to the pages of its origin.
 *
 * @see RFC 7009
 */

import { log } from '../platform/log.ts'
import { sendGrantRevoked, sendGrantsChanged } from './grant-events.ts'
import { deleteGrant, type GrantRecord } from './grants.ts'
import { endTokens } from './token-records.ts'
import { withdrawWaiver } from './withdrawn-waivers.ts'

/**
 * @param by Party that ended the grant.
 * @param cause Cause that the network gave.
 * @returns Whether the server has received the revocation.
 */
export async function endGrant(
  grant: GrantRecord,
  by: 'user' | 'page' | 'network',
  cause?: string,
): Promise<boolean> {
  await deleteGrant(grant)
  if (by === 'user') await withdrawWaiver(grant)
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
