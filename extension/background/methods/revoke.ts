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

export async function revoke({ origin }: Call, { grantId }: RevokeParams): Promise<RevokeResult> {
  const grants = grantId ? [await getGrant(origin, grantId)] : await listGrants(origin)
  const result: RevokeResult = { revoked: [], pending: [] }
  const endings = await Promise.all(grants.map((grant) => endGrant(grant, 'page')))
  for (const [index, { grantId: ended }] of grants.entries()) {
    result[endings[index] ? 'revoked' : 'pending'].push(ended)
  }
  return result
}
