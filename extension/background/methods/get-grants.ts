/**
 * Implements `northbound_getGrants`: lists the grants of the origin. A page that has none is likely to connect next,
 * so the first sign-in is prepared then.
 */

import type { Grant } from '../../../shared/messages/page-api.ts'
import { discoverBeforeSignIn } from '../authorization/metadata-ahead.ts'
import { listGrants, toPublicGrant } from '../grants/grants.ts'
import type { Call } from './page-call.ts'

export async function getGrants({ origin }: Call): Promise<Grant[]> {
  const grants = await listGrants(origin)
  // A failure delays the sign-in, and changes nothing else.
  if (grants.length === 0) void discoverBeforeSignIn(origin).catch(() => {})
  return grants.map(toPublicGrant)
}
