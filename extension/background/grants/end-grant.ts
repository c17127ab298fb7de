/**
 * Ends a grant: deletes it and its tokens at once, revokes the tokens at the server (now, or later where that
 * fails), and sends the events to the pages of its origin.
 *
 * No step depends on another: a full disk that keeps one from being stored does not keep the tokens alive.
 *
 * @see RFC 7009
 */

import { log } from '../platform/log.ts'
import { sendGrantRevoked, sendGrantsChanged } from './grant-events.ts'
import { deleteGrant, type GrantRecord } from './grants.ts'
import { endTokens } from './token-endings.ts'
import { withdrawWaiver } from './withdrawn-waivers.ts'

/** Returns the value of a step, or throws its error. */
function unwrapStep<T>(step: PromiseSettledResult<T>): T {
  if (step.status === 'rejected') throw step.reason
  return step.value
}

/**
 * @param by Party that ended the grant.
 * @param cause Cause that the network gave.
 * @returns Whether the server has received the revocation.
 * @throws BrokerError `storage_unavailable` if a step could not be stored. The tokens are revoked all the same.
 */
export async function endGrant(
  grant: GrantRecord,
  by: 'user' | 'page' | 'network',
  cause?: string,
): Promise<boolean> {
  // Begun before the grant ends: no call of a page finds no grant and a waiver that still holds.
  const withdrawal = by === 'user' ? withdrawWaiver(grant) : undefined
  const deletion = deleteGrant(grant)
  log.record('revocation', cause === undefined ? `by ${by}` : `by ${by}: ${cause}`, grant)
  const [withdrawn, deleted, ended] = await Promise.allSettled([
    withdrawal,
    deletion,
    endTokens(grant),
  ])
  await sendGrantRevoked(grant.origin, {
    grantId: grant.grantId,
    by,
    ...(cause !== undefined && { cause }),
  })
  await sendGrantsChanged(grant.origin)
  unwrapStep(withdrawn)
  unwrapStep(deleted)
  return unwrapStep(ended)
}
