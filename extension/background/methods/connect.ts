/**
 * `northbound_connect`: a grant for this origin. A grant that is there already and still good is
 * returned; otherwise the user is asked, which needs a gesture and one window at a time.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess, ConnectParams, Grant } from '../../../shared/messages/page-api.ts'
import { windowMayHelp } from '../authorization/silent-authorization.ts'
import { findBoundApplication } from '../clients/clients.ts'
import { coversApi, type GrantRecord, listGrants, toPublicGrant } from '../grants/grants.ts'
import { findApi, findOperator } from '../operators/operators.ts'
import { invalidParams, noGrant } from '../platform/broker-error.ts'
import { accessTokenOf } from '../tokens/token-renewal.ts'
import type { Call } from './page-call.ts'
import { askUser, runFlow } from './user-interaction.ts'

/** A grant of this origin that covers the wish and can still produce a token, or why none can. */
async function findUsableGrant(
  grants: GrantRecord[],
  apis: ApiAccess[],
): Promise<{ grant?: GrantRecord; reason?: unknown }> {
  let reason: unknown
  for (const grant of grants) {
    try {
      for (const { resource } of apis) await accessTokenOf(grant, resource)
      return { grant }
    } catch (error) {
      if (!windowMayHelp(error)) throw error
      reason = error
    }
  }
  return { reason }
}

function requireOffered(operator: OperatorProfile, { apis, mode = 'fetch' }: ConnectParams): void {
  if (operator.modes && !operator.modes.includes(mode)) {
    throw invalidParams(`mode: expected one of ${operator.modes.join(', ')} at this operator`)
  }
  for (const { resource, scope, purpose } of apis) {
    const api = findApi(operator, resource, scope)
    if (!api) throw invalidParams('apis: expected resources and scopes that the operator offers')
    if (purpose && api.purposes && !api.purposes.includes(purpose)) {
      throw invalidParams('apis.purpose: expected a purpose that the operator offers for this API')
    }
  }
}

export async function connect(call: Call, params: ConnectParams): Promise<Grant> {
  const { origin } = call
  const { issuer, apis, mode = 'fetch', reason, loginHint } = params

  const operator = await findOperator(issuer)
  const application = operator && (await findBoundApplication(operator, origin, params.clientId))
  // An operator that is not there and one that does not know this origin look the same from outside.
  if (!operator || !application) throw noGrant()
  requireOffered(operator, params)

  const { clientId } = application
  const here = (await listGrants(origin)).filter((grant) => grant.issuer === issuer)
  const covering = here.filter(
    (grant) =>
      grant.mode === mode &&
      (clientId === undefined || grant.clientId === clientId) &&
      apis.every((api) => coversApi(grant.apis, api)),
  )
  const { grant: existing, reason: why } = await findUsableGrant(covering, apis)
  if (existing) return toPublicGrant(existing)

  const request = {
    issuer,
    apis,
    mode,
    ...(clientId !== undefined && { clientId }),
    ...(reason !== undefined && { reason }),
    ...(loginHint !== undefined && { loginHint }),
  }
  const flow = {
    applicationName: application.name,
    operatorName: operator.name,
    silentFirst: operator.networkAuthentication === true || here.length > 0,
    request,
  }
  const consent = application.requireConsent ? 'ask' : { apis, lifetime: 'day' as const }
  return askUser(call, issuer, () => runFlow(call, flow, consent), why)
}
