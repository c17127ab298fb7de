/**
 * Implements `northbound_revoke`: ends a grant or all grants of the origin at once, and sends a token
 * revocation request to the authorization server. A revocation that the server has not confirmed is
 * pending, and is retried with a back-off (`grants/revocations.ts`). The grants end at the same time: none of them
 * waits for the server of another.
 *
 * @see RFC 7009
 */

import type { RevokeParams, RevokeResult } from '../../../shared/messages/page-api.ts'
import { endGrant } from '../grants/end-grant.ts'
import { getGrant, listGrants } from '../grants/grants.ts'
import type { Call } from './page-call.ts'

/** All grants end at once: none of them waits for the server of another, or for its own. */
export async function revoke({ origin }: Call, { grantId }: RevokeParams): Promise<RevokeResult> {
  const grants = grantId ? [await getGrant(origin, grantId)] : await listGrants(origin)
  const endings = await Promise.allSettled(
    grants.map(async (grant) => ({
      grantId: grant.grantId,
      isServerInformed: await endGrant(grant, 'page'),
    })),
  )
  const result: RevokeResult = { revoked: [], pending: [] }
  for (const ending of endings) {
    if (ending.status === 'rejected') throw ending.reason
    result[ending.value.isServerInformed ? 'revoked' : 'pending'].push(ending.value.grantId)
  }
  return result
}
