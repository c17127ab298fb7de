/** `northbound_revoke`: grants of this origin end at once; the server is told. @see RFC 7009 */

import type { RevokeParams, RevokeResult } from '../../../shared/messages/page-api.ts'
import { deleteGrant, type GrantRecord, grantOf, grantsOf } from '../grants/grants.ts'
import { endTokens } from '../grants/token-records.ts'
import type { Call } from '../page/page-router.ts'
import { announceGrants, announceRevoked } from '../platform/events.ts'
import { log } from '../platform/log.ts'

/** @returns Whether the server knows. */
export async function endGrant(
  grant: GrantRecord,
  by: 'user' | 'page' | 'network',
  cause?: string,
): Promise<boolean> {
  await deleteGrant(grant)
  log.record('revocation', cause === undefined ? `by ${by}` : `by ${by}: ${cause}`, grant)
  const told = await endTokens(grant)
  await announceRevoked(grant.origin, {
    grantId: grant.grantId,
    by,
    ...(cause !== undefined && { cause }),
  })
  await announceGrants(grant.origin)
  return told
}

export async function revoke({ origin }: Call, { grantId }: RevokeParams): Promise<RevokeResult> {
  const grants = grantId ? [await grantOf(origin, grantId)] : await grantsOf(origin)
  const result: RevokeResult = { revoked: [], pending: [] }
  for (const grant of grants) {
    const told = await endGrant(grant, 'page')
    result[told ? 'revoked' : 'pending'].push(grant.grantId)
  }
  return result
}
