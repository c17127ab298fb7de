/**
 * Ends what a site or an operator may do: its grants, and its flows that have not ended. A grant waits for no flow,
 * and a flow for no other flow: the server of each of them may hang.
 *
 * A flow whose code has been sent is not cancelled. It ends first, and the grant that it has brought then ends too.
 */

import { cancelPendingFlows } from '../authorization/authorization-flow.ts'
import { endGrant } from '../grants/end-grant.ts'
import { listAllGrants } from '../grants/grants.ts'

/** Origin and issuer of a grant or a flow. */
export interface Access {
  origin: string
  issuer: string
}

async function endGrants(isConcerned: (access: Access) => boolean): Promise<void> {
  const grants = (await listAllGrants()).filter(isConcerned)
  await Promise.allSettled(grants.map((grant) => endGrant(grant, 'user')))
}

export async function endAccess(isConcerned: (access: Access) => boolean): Promise<void> {
  await Promise.all([
    endGrants(isConcerned),
    cancelPendingFlows(({ origin, request: { issuer } }) => isConcerned({ origin, issuer })),
  ])
  await endGrants(isConcerned)
}
