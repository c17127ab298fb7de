/**
 * Starts the flows of a page that need the user. The conditions: transient user activation in a visible
 * page, no other window of the same origin, no cooldown after a denial, and a click that is neither spent nor
 * expired. Calls that need the same renewal share a single flight.
 *
 * Border: `authorization/user-activation.ts` decides about the click, and once more when the window opens.
 */

import { NorthkeyError } from '../../../shared/core/index.ts'
import type { Outcome } from '../../../shared/messages/document-channel.ts'
import type { ApiAccess, Grant } from '../../../shared/messages/page-api.ts'
import { FLOW_LIFETIME_MS } from '../../limits.ts'
import { cancelFlow, findPendingFlow, startFlow } from '../authorization/authorization-flow.ts'
import { isInCooldown } from '../authorization/denial-cooldown.ts'
import type { Approval, FlowBase } from '../authorization/flow-records.ts'
import { requireActivation } from '../authorization/user-activation.ts'
import { type GrantRecord, getGrant } from '../grants/grants.ts'
import {
  accessDenied,
  alreadyPending,
  BrokerError,
  interactionRequired,
} from '../platform/broker-error.ts'
import { createSingleFlight } from '../platform/single-flight.ts'
import type { Call } from './page-call.ts'

/** Throws the error of an outcome that travelled as plain data. */
function unwrapOutcome(outcome: Outcome): Grant {
  if ('result' in outcome) return outcome.result as Grant
  const { code, message, data } = outcome.error
  throw new BrokerError(code, data.error, message, data)
}

/** Origins that are about to open a window: a lock until their flow has a record. */
const originsAsking = new Set<string>()

const windowNeeded = () =>
  interactionRequired('a window is needed, which takes a click of the user in a visible page')

/**
 * Tells whether a flow of this origin waits for the user. A flow whose document was replaced by another
 * document in the same tab is cancelled: no call waits for it any more.
 */
async function isPending({ origin, tabId, documentId }: Call): Promise<boolean> {
  const pending = await findPendingFlow(origin)
  if (!pending) return false
  const { flowId, pageTabId, renews } = pending
  if (renews || pageTabId !== tabId || pending.documentId === documentId) return true
  await cancelFlow(flowId)
  return false
}

/**
 * Runs a task that opens a window, if the conditions of this file hold. The origin is locked before the
 * first `await`, so that a single call of several simultaneous calls passes. A call that may not open a
 * window does not take the lock.
 *
 * @param task Starts the flow.
 * @param reason The error that makes the user necessary, if there was one: thrown where no window may
 * open.
 * @throws BrokerError `already_pending`, `interaction_required`, `access_denied` in the cooldown after
 * a denial, or `reason`.
 */
export async function askUser<T>(
  call: Call,
  issuer: string,
  task: () => Promise<T>,
  reason?: unknown,
): Promise<T> {
  const { origin } = call
  if (originsAsking.has(origin)) throw alreadyPending()
  if (!call.userActivation || !call.visible) {
    throw (await isPending(call)) ? alreadyPending() : (reason ?? windowNeeded())
  }
  originsAsking.add(origin)
  try {
    const [isOther, isCooling, spent] = await Promise.all([
      isPending(call),
      isInCooldown(origin, issuer),
      requireActivation(call).then(
        () => undefined,
        (error) => reason ?? error,
      ),
    ])
    if (isOther) throw alreadyPending()
    if (isCooling) throw accessDenied()
    if (spent !== undefined) throw spent
    return await task()
  } finally {
    originsAsking.delete(origin)
  }
}

/**
 * Runs the flow of a call until its grant exists. The flow is cancelled when the page aborts the call.
 */
export async function runFlow(
  { origin, requestId, calledAtMs, documentId, tabId, signal }: Call,
  request: Pick<
    FlowBase,
    'applicationName' | 'operatorName' | 'request' | 'silentFirst' | 'renews'
  >,
  consent: Approval | 'ask',
): Promise<Grant> {
  // The call was aborted before the flow had a record: no abort would close its window later.
  if (signal.aborted) throw new NorthkeyError('aborted', 'the caller gave up')
  const flowId = crypto.randomUUID()
  const createdAtMs = Date.now()
  signal.addEventListener('abort', () => void cancelFlow(flowId))
  const flow: FlowBase = {
    flowId,
    requestId,
    origin,
    documentId,
    pageTabId: tabId,
    calledAtMs,
    createdAtMs,
    deadlineMs: createdAtMs + FLOW_LIFETIME_MS,
    ...request,
  }
  return unwrapOutcome(await startFlow(flow, consent))
}

/**
 * Authentication that an API requires before it serves a call.
 *
 * @see RFC 9470 section 3, RFC 6750 section 3.1
 */
export interface StepUp {
  acrValues?: string
  maxAge?: number
}

/** Renewals in flight. A window is closed when the last call that waits for it is aborted. */
const renewals = createSingleFlight<Grant>()

/**
 * Renews an existing grant in a sign-in window of the operator. Such a renewal allows nothing new, so
 * the broker's consent window is not shown. It is shown where `widerApis` contains more than the grant.
 *
 * @throws BrokerError `interaction_required` without a gesture, `already_pending` beside another
 * window.
 */
export function renewWithUser(
  call: Call,
  grant: GrantRecord,
  stepUp: StepUp = {},
  widerApis?: ApiAccess[],
): Promise<Grant> {
  const { origin, issuer, clientId, mode, applicationName, operatorName, grantId } = grant
  // Read while the origin is locked: the user may have left APIs out while this call waited for its answer.
  async function renew(signal: AbortSignal): Promise<Grant> {
    const { apis } = await getGrant(origin, grantId)
    const request = { issuer, clientId, apis: widerApis ?? apis, mode, ...stepUp }
    const renewal = {
      applicationName,
      operatorName,
      silentFirst: false,
      renews: grantId,
      request,
    }
    return runFlow({ ...call, signal }, renewal, widerApis ? 'ask' : { apis })
  }
  return renewals.run(
    JSON.stringify([grantId, stepUp, widerApis]),
    (signal) => askUser(call, issuer, () => renew(signal)),
    call.signal,
  )
}
