/**
 * `northbound_connect`: a grant for this origin. A grant that is there already and still good is
 * returned; otherwise the user is asked, which needs a gesture and one window at a time.
 */

import { toProviderError } from '../../shared/core/provider-error.ts'
import type { ConnectParams, Grant } from '../../shared/messages/page-api.ts'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { cancel, FLOW_TIME_MS, pendingOf, startFlow } from './authorization.ts'
import { covers, type GrantRecord, grantsOf, publicGrant } from './grants.ts'
import { findApi, findApplication, findOperator } from './operators.ts'
import type { Call } from './page-router.ts'
import { alreadyPending, interactionRequired, invalidParams, noGrant, Refusal } from './refusal.ts'
import { accessTokenOf } from './tokens.ts'

/** A grant of this origin that covers the wish and can still produce a token. */
async function usableGrant(
  origin: string,
  params: ConnectParams,
): Promise<GrantRecord | undefined> {
  const { issuer, apis, mode = 'fetch', clientId } = params
  for (const grant of await grantsOf(origin)) {
    const same =
      grant.issuer === issuer &&
      grant.mode === mode &&
      (clientId === undefined || grant.clientId === clientId) &&
      apis.every((api) => covers(grant.apis, api))
    if (!same) continue
    try {
      await Promise.all(apis.map(({ resource }) => accessTokenOf(grant, resource)))
      return grant
    } catch (error) {
      const { code } = error instanceof Refusal ? error : toProviderError(error)
      if (code === ERROR_CODE.unreachable) throw error
    }
  }
  return undefined
}

/** Throws the error of an outcome that travelled as plain data. */
function unwrap(outcome: Awaited<ReturnType<typeof startFlow>>): unknown {
  if ('result' in outcome) return outcome.result
  const { code, message, data } = outcome.error
  throw new Refusal(code, data.error, message, data)
}

export async function connect(call: Call, params: ConnectParams): Promise<Grant> {
  const { origin, requestId, documentId, tabId } = call
  const { issuer, apis, mode = 'fetch', clientId, reason, loginHint } = params

  const operator = await findOperator(issuer)
  const application = operator && findApplication(operator, origin, clientId)
  // An operator that is not there and one that does not know this origin look the same from outside.
  if (!operator || !application) throw noGrant()
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

  const existing = await usableGrant(origin, params)
  if (existing) return publicGrant(existing)

  if (await pendingOf(origin)) throw alreadyPending()
  if (!call.userActivation || !call.visible) {
    throw interactionRequired(
      'a window is needed, which takes a click of the user in a visible page',
    )
  }

  const now = Date.now()
  const flowId = crypto.randomUUID()
  call.signal.addEventListener('abort', () => void cancel(flowId))
  const outcome = await startFlow(
    {
      status: 'awaitingConsent',
      flowId,
      requestId,
      origin,
      documentId,
      pageTabId: tabId,
      applicationName: application.name,
      operatorName: operator.name,
      createdAtMs: now,
      deadlineMs: now + FLOW_TIME_MS,
      request: {
        issuer,
        clientId: application.clientId,
        apis,
        mode,
        ...(reason ? { reason } : {}),
        ...(loginHint ? { loginHint } : {}),
      },
    },
    application.requireConsent === false ? { apis, lifetime: 'day' } : 'ask',
  )
  return unwrap(outcome) as Grant
}
