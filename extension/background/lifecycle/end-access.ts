/**
 * Ends what a site or an operator may do: its grants, and its flows that have not ended. A grant waits for no flow,
 * and a flow for no other flow: the server of each of them may hang.
 *
 * A flow whose code has been sent is not cancelled. It ends first, and the grant that it has brought then ends too.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { cancelPendingFlows } from '../authorization/authorization-flow.ts'
import { endGrant } from '../grants/end-grant.ts'
import { type GrantRecord, listAllGrants } from '../grants/grants.ts'
import { changesGrant } from '../operators/profile-changes.ts'

/** Origin and issuer of a grant or a flow. */
export interface Access {
  origin: string
  issuer: string
}

async function endGrants(isConcerned: (access: Access) => boolean): Promise<void> {
  const grants = (await listAllGrants()).filter(isConcerned)
  await Promise.allSettled(grants.map((grant) => endGrant(grant, 'user')))
}

/** Lists the grants that the replacement of a profile concerns. */
export async function listChangedGrants(
  before: OperatorProfile,
  after: OperatorProfile,
): Promise<GrantRecord[]> {
  const grants = await listAllGrants()
  return grants.filter(
    (grant) => grant.issuer === before.issuer && changesGrant(before, after, grant),
  )
}

/**
 * Ends what the replacement of a profile concerns, while the replaced profile is in use: the tokens are revoked at the
 * servers that issued them. The flows of the operator end too. The user did not end these grants: a waiver of
 * the consent stays.
 */
export async function endChangedAccess(
  before: OperatorProfile,
  after: OperatorProfile,
): Promise<void> {
  const endChanged = async () => {
    const grants = await listChangedGrants(before, after)
    await Promise.allSettled(grants.map((grant) => endGrant(grant, 'network')))
  }
  const endFlows = cancelPendingFlows(({ request: { issuer } }) => issuer === before.issuer)
  await Promise.all([endChanged(), endFlows])
  await endChanged()
}

export async function endAccess(isConcerned: (access: Access) => boolean): Promise<void> {
  await Promise.all([
    endGrants(isConcerned),
    cancelPendingFlows(({ origin, request: { issuer } }) => isConcerned({ origin, issuer })),
  ])
  await endGrants(isConcerned)
}
