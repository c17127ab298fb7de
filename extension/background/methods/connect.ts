/**
 * `northbound_connect`: a grant for this origin. A grant that is there already and still good is
 * returned; otherwise the user is asked, which needs a gesture and one window at a time.
 */

import { NorthkeyError } from '../../../shared/core/index.ts'
import type { Outcome } from '../../../shared/messages/document-channel.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess, ConnectParams, Grant } from '../../../shared/messages/page-api.ts'
import { cancel, FLOW_TIME_MS, pendingOf, startFlow } from '../authorization/authorization-flow.ts'
import { hasRefused } from '../authorization/denial-cooldown.ts'
import type { FlowBase } from '../authorization/flow-records.ts'
import { windowMayHelp } from '../authorization/silent-authorization.ts'
import { boundApplication } from '../clients/clients.ts'
import { covers, type GrantRecord, grantsOf, publicGrant } from '../grants/grants.ts'
import { findApi, findOperator } from '../operators/operators.ts'
import {
  accessDenied,
  alreadyPending,
  interactionRequired,
  invalidParams,
  noGrant,
  Refusal,
} from '../platform/broker-error.ts'
import { accessTokenOf } from '../tokens/token-renewal.ts'
import type { Call } from './page-call.ts'

/** A grant of this origin that covers the wish and can still produce a token, or why none can. */
async function usableGrant(
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

function checkWish(operator: OperatorProfile, { apis, mode = 'fetch' }: ConnectParams): void {
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

/** Throws the error of an outcome that travelled as plain data. */
function unwrap(outcome: Outcome): Grant {
  if ('result' in outcome) return outcome.result as Grant
  const { code, message, data } = outcome.error
  throw new Refusal(code, data.error, message, data)
}

const asking = new Set<string>()

const windowNeeded = () =>
  interactionRequired('a window is needed, which takes a click of the user in a visible page')

/**
 * Whether a flow waits for the user. One whose page has made room for another document in the same tab
 * waits for nobody.
 */
async function isPending({ origin, tabId, documentId }: Call): Promise<boolean> {
  const pending = await pendingOf(origin)
  if (!pending) return false
  const { flowId, pageTabId, renews } = pending
  if (renews || pageTabId !== tabId || pending.documentId === documentId) return true
  await cancel(flowId)
  return false
}

/**
 * A window needs the user: who has just acted, in a page that can be seen, is not asked already, and has
 * not said no a moment ago. The origin is taken before the first `await`, so that of many calls at once
 * one passes; a call that may not have a window does not take it.
 *
 * @param reason Why it did not do without, if that is known.
 */
async function withUser<T>(
  call: Call,
  issuer: string,
  ask: () => Promise<T>,
  reason?: unknown,
): Promise<T> {
  const { origin } = call
  if (asking.has(origin)) throw alreadyPending()
  if (!call.userActivation || !call.visible) {
    throw (await isPending(call)) ? alreadyPending() : (reason ?? windowNeeded())
  }
  asking.add(origin)
  try {
    if (await isPending(call)) throw alreadyPending()
    if (await hasRefused(origin, issuer)) throw accessDenied()
    return await ask()
  } finally {
    asking.delete(origin)
  }
}

function newFlow(
  { origin, requestId, documentId, tabId, signal }: Call,
  what: Pick<FlowBase, 'applicationName' | 'operatorName' | 'request' | 'silentFirst' | 'renews'>,
): FlowBase {
  // Whoever gave up before there was a flow: nobody would close its window.
  if (signal.aborted) throw new NorthkeyError('aborted', 'the caller gave up')
  const flowId = crypto.randomUUID()
  const createdAtMs = Date.now()
  signal.addEventListener('abort', () => void cancel(flowId))
  return {
    flowId,
    requestId,
    origin,
    documentId,
    pageTabId: tabId,
    createdAtMs,
    deadlineMs: createdAtMs + FLOW_TIME_MS,
    ...what,
  }
}

export async function connect(call: Call, params: ConnectParams): Promise<Grant> {
  const { origin } = call
  const { issuer, apis, mode = 'fetch', reason, loginHint } = params

  const operator = await findOperator(issuer)
  const application = operator && (await boundApplication(operator, origin, params.clientId))
  // An operator that is not there and one that does not know this origin look the same from outside.
  if (!operator || !application) throw noGrant()
  checkWish(operator, params)

  const { clientId } = application
  const here = (await grantsOf(origin)).filter((grant) => grant.issuer === issuer)
  const covering = here.filter(
    (grant) =>
      grant.mode === mode &&
      (clientId === undefined || grant.clientId === clientId) &&
      apis.every((api) => covers(grant.apis, api)),
  )
  const { grant: existing, reason: why } = await usableGrant(covering, apis)
  if (existing) return publicGrant(existing)

  const ask = async () => {
    const flow = newFlow(call, {
      applicationName: application.name,
      operatorName: operator.name,
      silentFirst: operator.networkAuthentication === true || here.length > 0,
      request: {
        issuer,
        apis,
        mode,
        ...(clientId !== undefined && { clientId }),
        ...(reason !== undefined && { reason }),
        ...(loginHint !== undefined && { loginHint }),
      },
    })
    const consent = application.requireConsent ? 'ask' : { apis, lifetime: 'day' as const }
    return unwrap(await startFlow(flow, consent))
  }
  return withUser(call, issuer, ask, why)
}

/** What an API asks for before it serves a call. @see RFC 9470 section 3, RFC 6750 section 3.1 */
export interface StepUp {
  acrValues?: string
  maxAge?: number
}

/** A window that several calls may wait for; it goes when the last of them has given up. */
interface Renewal {
  done: Promise<Grant>
  controller: AbortController
  callers: number
}

const renewals = new Map<string, Renewal>()

async function join({ signal }: Call, renewal: Renewal): Promise<Grant> {
  renewal.callers += 1
  const leave = () => {
    renewal.callers -= 1
    if (renewal.callers === 0) renewal.controller.abort()
  }
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave)
  return renewal.done.finally(() => signal.removeEventListener('abort', leave))
}

/**
 * Takes the user to the operator again, for a grant that is there: it allows nothing new, so the
 * broker's own window is not shown. It is shown where `wider` asks for more than the grant has.
 *
 * @throws Refusal `interaction_required` without a gesture, `already_pending` beside another window.
 */
export function renewWithUser(
  call: Call,
  grant: GrantRecord,
  stepUp: StepUp = {},
  wider?: ApiAccess[],
): Promise<Grant> {
  const key = JSON.stringify([grant.grantId, stepUp, wider])
  const known = renewals.get(key)
  if (known) return join(call, known)
  const controller = new AbortController()
  const { issuer, clientId, apis, mode, applicationName, operatorName, grantId } = grant
  const done = withUser(call, issuer, async () => {
    const flow = newFlow(
      { ...call, signal: controller.signal },
      {
        applicationName,
        operatorName,
        silentFirst: false,
        renews: grantId,
        request: { issuer, clientId, apis: wider ?? apis, mode, ...stepUp },
      },
    )
    return unwrap(await startFlow(flow, wider ? 'ask' : { apis }))
  }).finally(() => renewals.delete(key))
  const renewal = { done, controller, callers: 0 }
  renewals.set(key, renewal)
  return join(call, renewal)
}
