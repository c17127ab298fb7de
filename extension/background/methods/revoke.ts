/**
 * Implements `northbound_revoke`: ends a grant or all grants of the origin at once, and sends a token
 * revocation request to the authorization server. A revocation that the server has not confirmed is
 * pending, and is retried with a back-off (`grants/revocations.ts`).
 *
 * @see RFC 7009
 */

import type { RevokeParams, RevokeResult } from '../../../shared/messages/page-api.ts'
import { endGrant } from '../grants/end-grant.ts'
import { getGrant, listGrants } from '../grants/grants.ts'
import type { Call } from './page-call.ts'

export async function revoke({ origin }: Call, { grantId }: RevokeParams): Promise<RevokeResult> {
  const grants = grantId ? [await getGrant(origin, grantId)] : await listGrants(origin)
  const result: RevokeResult = { revoked: [], pending: [] }
  for (const grant of grants) {
    const isServerInformed = await endGrant(grant, 'page')
    result[isServerInformed ? 'revoked' : 'pending'].push(grant.grantId)
  }
  return result
}
