/**
 * Limits a grant to the current operator profile: an application, a mode or an API that was removed from the
 * profile is no longer served, even though the user allowed it earlier.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { findApi, findApplication, findOperator, toApiRequest } from '../operators/operators.ts'
import { endGrant } from './end-grant.ts'
import { type GrantRecord, listAllGrants } from './grants.ts'

function filterOfferedApis(operator: OperatorProfile, grant: GrantRecord): ApiAccess[] {
  const { modes, onboarding = 'preregistered' } = operator
  const { origin, clientId, mode, apis } = grant
  if (modes && !modes.includes(mode)) return []
  if (onboarding === 'preregistered' && !findApplication(operator, origin, clientId)) return []
  return apis.filter((api) => {
    const { resource, scope = '' } = toApiRequest(operator, api)
    return findApi(operator, resource, scope)
  })
}

/** Lists the APIs of a grant that the operator still offers. */
export async function listOfferedApis(grant: GrantRecord): Promise<ApiAccess[]> {
  const operator = await findOperator(grant.issuer)
  return operator ? filterOfferedApis(operator, grant) : []
}

/**
 * Ends the grants that have no offered API left. Grants of an unknown operator stay, since its profile may be
 * unreadable for the moment.
 */
export async function endWithdrawnGrants(): Promise<void> {
  const endings = (await listAllGrants()).map(async (grant) => {
    const operator = await findOperator(grant.issuer)
    if (operator && filterOfferedApis(operator, grant).length === 0)
      await endGrant(grant, 'network')
  })
  await Promise.all(endings)
}
