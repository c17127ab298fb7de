/**
 * Routes the calls of pages to their methods. A method gets a caller that the browser has vouched for,
 * and parameters that have been checked.
 *
 * A call passes, in this order: the cache of access tokens (`tokens/access-token-cache.ts`), the rate limit,
 * single flight (a call that is sent again joins the call in flight), the octets, the site, the flow that an
 * earlier worker began for it, the parameters, the method. A call that is sent again is not counted before
 * it has joined what is there of it.
 *
 * Border: `page-port.ts` has verified the sender. The broker's own screens have a table of their own
 * (`screens/screen-router.ts`).
 */

import type { Ended, UnverifiedPageRequest } from '../../../shared/messages/broker-channel.ts'
import type { Outcome } from '../../../shared/messages/document-channel.ts'
import {
  ERROR_CODE,
  type FetchResult,
  type Grant,
  type ProviderMethod,
  type ProviderMethods,
} from '../../../shared/messages/page-api.ts'
import { decodeRequest } from '../../../shared/messages/request-deduplication.ts'
import { cancelFlowOfCall, resumeFlowOfCall } from '../authorization/authorization-flow.ts'
import { requireCurrentGrant, toAbortError } from '../grants/grant-use.ts'
import { connect } from '../methods/connect.ts'
import { createProof } from '../methods/create-proof.ts'
import { fetchApi } from '../methods/fetch.ts'
import { getAccessToken } from '../methods/get-access-token.ts'
import { getGrants } from '../methods/get-grants.ts'
import { getInfo } from '../methods/get-info.ts'
import type { Call, Caller } from '../methods/page-call.ts'
import { revoke } from '../methods/revoke.ts'
import {
  BrokerError,
  getDiagnosis,
  interrupted,
  noGrant,
  toErrorObject,
} from '../platform/broker-error.ts'
import { createSingleFlight } from '../platform/single-flight.ts'
import { isSiteOn } from '../sites/sites.ts'
import { findCachedAnswer } from '../tokens/access-token-cache.ts'
import { logFailedCall } from './log-failed-call.ts'
import { takeOctets } from './message-octets.ts'
import { type CheckedParams, checkParams, isProviderMethod } from './params.ts'
import { RATE_LIMITED, tryTakeCall } from './rate-limit.ts'

type Handler<M extends ProviderMethod> = (
  call: Call,
  params: CheckedParams<M>,
) => Promise<ProviderMethods[M]['result']>

const handlers: { [M in ProviderMethod]?: Handler<M> } = {
  broker_getInfo: getInfo,
  northbound_connect: connect,
  northbound_getGrants: getGrants,
  northbound_getAccessToken: getAccessToken,
  northbound_fetch: fetchApi,
  northbound_createProof: createProof,
  northbound_revoke: revoke,
}

function dispatchCall<M extends ProviderMethod>(
  call: Call,
  method: M,
  params: unknown,
): Promise<ProviderMethods[M]['result']> {
  const handler = handlers[method]
  return handler ? handler(call, checkParams(method, params)) : throwUnsupported()
}

function throwUnsupported(): never {
  const methods = Object.keys(handlers).join(', ')
  throw new BrokerError(
    ERROR_CODE.unsupportedMethod,
    'unsupported_method',
    `method: expected one of ${methods}`,
  )
}

/** Tells whether a call may run again when an earlier worker may have run it already. */
function isRepeatable({ method, params }: UnverifiedPageRequest): boolean {
  if (method === 'northbound_connect') return false
  if (method !== 'northbound_fetch') return true
  const { method: verb = 'GET' } = params as { method?: string }
  return /^(?:get|head)$/i.test(verb)
}

/**
 * The outcome of the flow that an earlier worker began for this call. An abort by the page cancels the
 * flow.
 */
async function resumeUntilAbort(
  { origin }: Caller,
  requestId: string,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const cancel = () => void cancelFlowOfCall(origin, requestId)
  if (signal.aborted) cancel()
  signal.addEventListener('abort', cancel)
  try {
    return await resumeFlowOfCall(origin, requestId)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

const siteOff = () => noGrant('the site is not switched on')

/** @throws BrokerError or NorthkeyError of the call. */
async function answerCall(
  caller: Caller,
  requestId: string,
  request: UnverifiedPageRequest,
  signal: AbortSignal,
  deliver: Call['deliver'],
): Promise<Outcome> {
  const { method, key, params, attempt, visible } = request
  const calledAtMs = Date.now()
  let release = () => {}
  try {
    release = takeOctets(caller.origin, request)
    if (!(await isSiteOn(caller.origin))) throw siteOff()
    if (attempt > 0) {
      const outcome = await resumeUntilAbort(caller, requestId, signal)
      // Another method runs on: the window has brought the tokens or the scope that it needs.
      if (outcome && 'error' in outcome) return outcome
      if (outcome && method === 'northbound_connect') {
        return { result: await requireCurrentGrant(caller.origin, outcome.result as Grant) }
      }
      if (!isRepeatable(request)) throw interrupted()
      if (!tryTakeCall(caller.origin)) return RATE_LIMITED
    }
    if (!isProviderMethod(method)) return throwUnsupported()
    // How long ago the click of a call was that is sent again is not known.
    const userActivation = request.userActivation && attempt === 0
    const call: Call = {
      ...caller,
      requestId,
      calledAtMs,
      key,
      userActivation,
      visible,
      signal,
      deliver,
    }
    const result = await dispatchCall(call, method, params)
    // The site may have been switched off, and the page may have given up, while the method ran.
    if (!(await isSiteOn(caller.origin))) throw siteOff()
    if (signal.aborted) throw toAbortError(signal)
    return { result }
  } finally {
    release()
  }
}

/**
 * An origin contains no space: the request id, which is the page's own text, cannot reach into another
 * origin.
 */
const getCallKey = ({ origin }: Caller, requestId: string) => `${origin} ${requestId}`

const callsInFlight = createSingleFlight<Ended>()
/** Controllers that abort the calls in flight, by the key of the call. */
const controllers = new Map<string, AbortController>()

async function runCall(
  caller: Caller,
  requestId: string,
  request: UnverifiedPageRequest,
  deliver: Call['deliver'],
): Promise<Ended> {
  const key = getCallKey(caller, requestId)
  const controller = new AbortController()
  controllers.set(key, controller)
  let deliveredBytes = 0
  let diagnosis: string | undefined
  const outcome = await answerCall(caller, requestId, request, controller.signal, (part) => {
    deliveredBytes += part.byteLength
    deliver(part)
  }).catch((error: unknown): Outcome => {
    diagnosis = getDiagnosis(error)
    return { error: toErrorObject(error) }
  })
  controllers.delete(key)
  if ('error' in outcome) logFailedCall(caller, request.method, outcome.error, diagnosis)
  else if (deliveredBytes > 0) {
    const { body } = outcome.result as FetchResult
    return { ...outcome, length: deliveredBytes + body.byteLength }
  }
  return outcome
}

/** Takes the answer to a request from the cache: no record is read, and nothing is awaited. */
function takeCachedAnswer(
  { origin }: Caller,
  { method, key, params, attempt }: UnverifiedPageRequest,
): Ended | undefined {
  if (method !== 'northbound_getAccessToken' || !key || params !== undefined || attempt > 0) {
    return undefined
  }
  const cached = findCachedAnswer(origin, key)
  // A call above the rate limit is no cache hit: it gets its error on the same way as any other call.
  if (!cached || !tryTakeCall(origin)) return undefined
  cached.log()
  return { result: cached.answer }
}

/**
 * Answers a call: from the cache in the same task, or once its method has run. A call that is sent
 * again joins the call in flight.
 *
 * @param requestId Identifies the call across repeated messages, so that it survives a stopped worker.
 * @param deliver Takes the parts of a large body.
 */
export function handlePageRequest(
  caller: Caller,
  requestId: string,
  request: UnverifiedPageRequest,
  deliver: Call['deliver'],
): Ended | Promise<Ended> {
  const cached = takeCachedAnswer(caller, request)
  if (cached) return cached
  if (request.attempt === 0 && !tryTakeCall(caller.origin)) {
    logFailedCall(caller, request.method, RATE_LIMITED.error)
    return RATE_LIMITED
  }
  return callsInFlight.run(getCallKey(caller, requestId), () =>
    runCall(caller, requestId, decodeRequest(request), deliver),
  )
}

/** Aborts a call in flight, or cancels the flow that an earlier worker began for the call. */
export function abortPageRequest(caller: Caller, requestId: string): void {
  const controller = controllers.get(getCallKey(caller, requestId))
  if (controller) controller.abort()
  // The rate limit counts aborts too: a page that aborts in a loop must not cause a read of the disk
  // each time.
  else if (tryTakeCall(caller.origin)) void cancelFlowOfCall(caller.origin, requestId)
}

/** Aborts the calls in flight of a site that was switched off: none of its grants is left. */
export function abortCallsOfOrigin(origin: string): void {
  for (const [key, controller] of controllers) {
    if (key.startsWith(`${origin} `)) controller.abort(siteOff())
  }
}
