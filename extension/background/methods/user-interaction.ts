/**
 * Interaction with the user on behalf of a page: it takes a gesture in a visible page, one window at a
 * time, and no denial a moment ago. A renewal with the user is shared by the calls that wait for it.
 */

import { NorthkeyError } from '../../../shared/core/index.ts'
import type { Outcome } from '../../../shared/messages/document-channel.ts'
import type { ApiAccess, Grant } from '../../../shared/messages/page-api.ts'
import { FLOW_LIFETIME_MS } from '../../limits.ts'
import { cancelFlow, findPendingFlow, startFlow } from '../authorization/authorization-flow.ts'
import { isInCooldown } from '../authorization/denial-cooldown.ts'
import type { Approval, FlowBase } from '../authorization/flow-records.ts'
import type { GrantRecord } from '../grants/grants.ts'
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

/** Origins for which a window is about to open. */
const originsAsking = new Set<string>()

const windowNeeded = () =>
  interactionRequired('a window is needed, which takes a click of the user in a visible page')

/**
 * Tells whether a flow waits for the user. One whose page has made room for another document in the same
 * tab waits for nobody.
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
 * A window needs the user: who has just acted, in a page that can be seen, is not asked already, and has
 * not denied a moment ago. The origin is taken before the first `await`, so that of many calls at once
 * one passes; a call that may not have a window does not take it.
 *
 * @param reason Why it did not do without, if that is known.
 */
export async function askUser<T>(
  call: Call,
  issuer: string,
  ask: () => Promise<T>,
  reason?: unknown,
): Promise<T> {
  const { origin } = call
  if (originsAsking.has(origin)) throw alreadyPending()
  if (!call.userActivation || !call.visible) {
    throw (await isPending(call)) ? alreadyPending() : (reason ?? windowNeeded())
  }
  originsAsking.add(origin)
  try {
    if (await isPending(call)) throw alreadyPending()
    if (await isInCooldown(origin, issuer)) throw accessDenied()
    return await ask()
  } finally {
    originsAsking.delete(origin)
  }
}

/** Runs the flow of a call to its grant. It is cancelled when the page gives up. */
export async function runFlow(
  { origin, requestId, documentId, tabId, signal }: Call,
  request: Pick<
    FlowBase,
    'applicationName' | 'operatorName' | 'request' | 'silentFirst' | 'renews'
  >,
  consent: Approval | 'ask',
): Promise<Grant> {
  // Whoever gave up before there was a flow: nobody would close its window.
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
    createdAtMs,
    deadlineMs: createdAtMs + FLOW_LIFETIME_MS,
    ...request,
  }
  return unwrapOutcome(await startFlow(flow, consent))
}

/** What an API asks for before it serves a call. @see RFC 9470 section 3, RFC 6750 section 3.1 */
export interface StepUp {
  acrValues?: string
  maxAge?: number
}

/** Renewals with the user. The window goes when the last call that waits for it has given up. */
const renewals = createSingleFlight<Grant>()

/**
 * Takes the user to the operator again, for a grant that is there: it allows nothing new, so the
 * broker's own window is not shown. It is shown where `wider` asks for more than the grant has.
 *
 * @throws BrokerError `interaction_required` without a gesture, `already_pending` beside another window.
 */
export function renewWithUser(
  call: Call,
  grant: GrantRecord,
  stepUp: StepUp = {},
  wider?: ApiAccess[],
): Promise<Grant> {
  const { issuer, clientId, apis, mode, applicationName, operatorName, grantId } = grant
  const request = { issuer, clientId, apis: wider ?? apis, mode, ...stepUp }
  const renewal = {
    applicationName,
    operatorName,
    silentFirst: false,
    renews: grantId,
    request,
  }
  return renewals.run(
    JSON.stringify([grantId, stepUp, wider]),
    (signal) =>
      askUser(call, issuer, () => runFlow({ ...call, signal }, renewal, wider ? 'ask' : { apis })),
    call.signal,
  )
}
