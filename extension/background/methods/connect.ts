/**
 * Implements `northbound_connect`: returns a grant for the origin of the page. An existing grant that
 * covers the request and can still produce tokens is returned as it is. Otherwise an authorization flow
 * starts, which needs a gesture of the user, and of which an origin has one at a time
 * (`user-interaction.ts`). It begins with the broker's consent window, unless the operator waives that
 * (`authorization/consent-waiver.ts`).
 */

import { checkApis } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess, ConnectParams, Grant } from '../../../shared/messages/page-api.ts'
import { decideConsent } from '../authorization/consent-waiver.ts'
import { windowMayHelp } from '../authorization/silent-authorization.ts'
import { findBoundApplication } from '../clients/clients.ts'
import { requireCurrentGrant, runWithGrant } from '../grants/grant-use.ts'
import { coversApi, type GrantRecord, listGrants } from '../grants/grants.ts'
import { listUnprobedApis } from '../grants/token-records.ts'
import { isWaiverWithdrawn } from '../grants/withdrawn-waivers.ts'
import { explainUnofferedApi } from '../operators/connect-diagnosis.ts'
import { explainNoApplication } from '../operators/no-application.ts'
import { findApi, findOperator } from '../operators/operators.ts'
import { invalidParams, isApiWithdrawn } from '../platform/broker-error.ts'
import { obtainAccessToken } from '../tokens/token-renewal.ts'
import type { Call } from './page-call.ts'
import { askUser, runFlow } from './user-interaction.ts'

/**
 * Finds a grant that can still produce a token for each API.
 *
 * @param grants Grants that cover the request.
 * @param caller The signal of the call.
 * @returns The grant, or the error of the last grant that needs the user.
 */
async function findUsableGrant(
  grants: GrantRecord[],
  apis: ApiAccess[],
  caller: AbortSignal,
): Promise<{ grant?: GrantRecord; reason?: unknown }> {
  let reason: unknown
  for (const grant of grants) {
    try {
      for (const api of apis) {
        await runWithGrant(grant, api, caller, () => obtainAccessToken(grant, api.resource))
      }
      return { grant }
    } catch (error) {
      // A grant that has lost an API does not cover the request any more.
      if (!windowMayHelp(error) && !isApiWithdrawn(error)) throw error
      reason = error
    }
  }
  return { reason }
}

/**
 * Requests a token for each further API of a new grant, at a server that gives a token for one resource at a time:
 * an API that the server refuses is not in the grant that the page gets. Any other failure leaves the API in the
 * grant: a later call tries again.
 *
 * @see RFC 8707 section 2.2
 */
async function probeFurtherApis(
  { origin, signal }: Call,
  operator: OperatorProfile,
  { grantId }: Grant,
): Promise<void> {
  const grant = (await listGrants(origin)).find((candidate) => candidate.grantId === grantId)
  if (!grant) return
  for (const api of await listUnprobedApis(grant)) {
    if (findApi(operator, api.resource, api.scope)?.tokenUse === 'single-use') continue
    const probe = runWithGrant(grant, api, signal, () => obtainAccessToken(grant, api.resource))
    await probe.catch(() => {})
  }
}

/**
 * @throws BrokerError `invalid_params` for a mode, scope or purpose that the operator does not offer.
 */
function requireOffered(
  operator: OperatorProfile,
  apis: readonly ApiAccess[],
  mode: ConnectParams['mode'] = 'fetch',
): void {
  if (operator.modes && !operator.modes.includes(mode)) {
    throw invalidParams(`mode: expected one of ${operator.modes.join(', ')} at this operator`)
  }
  for (const [index, { resource, scope, purpose }] of apis.entries()) {
    const api = findApi(operator, resource, scope)
    if (!api) {
      throw invalidParams(
        `apis[${index}]: expected a resource and scopes that the operator offers, and no scope where it offers none`,
        explainUnofferedApi(operator, resource),
      )
    }
    if (purpose && api.purposes && !api.purposes.includes(purpose)) {
      throw invalidParams(
        `apis[${index}].purpose: expected a purpose that the operator offers for this API`,
        `${operator.name} offers ${api.resource} for ${api.purposes.join(', ')}`,
      )
    }
  }
  checkApis(operator, apis)
}

/**
 * @throws BrokerError or NorthkeyError; `no_grant` also where the operator does not know this origin.
 */
export async function connect(call: Call, params: ConnectParams): Promise<Grant> {
  const { origin } = call
  const { issuer, mode = 'fetch', reason, loginHint } = params
  const apis = params.apis.map(({ scope = '', ...api }) => ({ ...api, scope }))

  const operator = await findOperator(issuer)
  const application = operator && (await findBoundApplication(operator, origin, params.clientId))
  // An operator that is not configured and one that does not know this origin look the same to the page.
  if (!operator || !application) {
    throw await explainNoApplication({ origin, issuer, clientId: params.clientId })
  }
  requireOffered(operator, apis, mode)

  const { clientId } = application
  const listGrantsAtOperator = async () =>
    (await listGrants(origin)).filter((grant) => grant.issuer === issuer)
  const grantsAtOperator = await listGrantsAtOperator()
  const covering = grantsAtOperator.filter(
    (grant) =>
      grant.mode === mode &&
      (clientId === undefined || grant.clientId === clientId) &&
      apis.every((api) => coversApi(grant.apis, api)),
  )
  const { grant: usable, reason: unusableReason } = await findUsableGrant(
    covering,
    apis,
    call.signal,
  )
  if (usable) return requireCurrentGrant(origin, usable)

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
    silentFirst: operator.networkAuthentication === true || grantsAtOperator.length > 0,
    request,
  }
  // Decided while the origin is locked: another call may have got the first grant in the meantime.
  const decide = async () =>
    (await isWaiverWithdrawn(issuer, origin))
      ? 'ask'
      : decideConsent(application, request, await listGrantsAtOperator())
  const grant = await askUser(
    call,
    issuer,
    async () => runFlow(call, flow, await decide()),
    isApiWithdrawn(unusableReason) ? undefined : unusableReason,
  )
  if (grant.apis.length > 1) await probeFurtherApis(call, operator, grant)
  return requireCurrentGrant(origin, grant)
}
