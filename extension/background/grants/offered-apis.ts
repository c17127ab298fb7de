/**
 * A grant is worth what the operator's profile still says: an application, a mode or an API that was
 * taken out of it is no longer served, whatever the user once allowed.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { findApi, findApplication, findOperator } from '../operators/operators.ts'
import { endGrant } from './end-grant.ts'
import { type GrantRecord, listAllGrants } from './grants.ts'

function offeredBy(operator: OperatorProfile, grant: GrantRecord): ApiAccess[] {
  const { modes, onboarding = 'preregistered' } = operator
  const { origin, clientId, mode, apis } = grant
  if (modes && !modes.includes(mode)) return []
  if (onboarding === 'preregistered' && !findApplication(operator, origin, clientId)) return []
  return apis.filter(({ resource, scope }) => findApi(operator, resource, scope))
}

/** What of a grant may be used. */
export async function listOfferedApis(grant: GrantRecord): Promise<ApiAccess[]> {
  const operator = await findOperator(grant.issuer)
  return operator ? offeredBy(operator, grant) : []
}

/**
 * Ends the grants of which nothing is left. Those of an operator that is not known just now stay: it may
 * be that its profile could not be read.
 */
export async function endWithdrawnGrants(): Promise<void> {
  for (const grant of await listAllGrants()) {
    const operator = await findOperator(grant.issuer)
    if (operator && offeredBy(operator, grant).length === 0) await endGrant(grant, 'network')
  }
}
