/** `northbound_revoke`: grants of this origin end at once; the server is told. @see RFC 7009 */

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
