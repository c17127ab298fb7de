/**
 * What a page may ask. One entry a method; each gets a caller that the browser vouches for and
 * parameters that have been checked.
 */

import type { Ended, UnverifiedPageRequest } from '../../../shared/messages/broker-channel.ts'
import type { Outcome } from '../../../shared/messages/document-channel.ts'
import {
  ERROR_CODE,
  type FetchResult,
  PROTOCOL,
  type ProviderMethod,
  type ProviderMethods,
} from '../../../shared/messages/page-api.ts'
import { decodeRequest } from '../../../shared/messages/request-deduplication.ts'
import { cancelFlowOfCall, resumeFlowOfCall } from '../authorization/authorization-flow.ts'
import { listGrants, toPublicGrant } from '../grants/grants.ts'
import { connect } from '../methods/connect.ts'
import { createProof } from '../methods/create-proof.ts'
import { fetchApi } from '../methods/fetch.ts'
import { getAccessToken } from '../methods/get-access-token.ts'
import type { Call, Caller } from '../methods/page-call.ts'
import { revoke } from '../methods/revoke.ts'
import { BrokerError, interrupted, noGrant, toErrorObject } from '../platform/broker-error.ts'
import { redirectBase } from '../platform/redirect-base.ts'
import { createSingleFlight } from '../platform/single-flight.ts'
import { isSiteOn } from '../sites/sites.ts'
import { findCachedAnswer } from '../tokens/access-token-cache.ts'
import { logFailedCall } from './log-failed-call.ts'
import { type CheckedParams, checkParams, isProviderMethod } from './params.ts'
import { takeCall, tryTakeCall } from './rate-limit.ts'

type Handler<M extends ProviderMethod> = (
  call: Call,
  params: CheckedParams<M>,
) => Promise<ProviderMethods[M]['result']>

const handlers: { [M in ProviderMethod]?: Handler<M> } = {
  broker_getInfo: async () => ({
    protocol: PROTOCOL,
    version: __VERSION__,
    features: ['fetch', 'token', 'dpop'],
    redirectUris: [redirectBase],
  }),
  northbound_connect: connect,
  northbound_getGrants: async ({ origin }) => (await listGrants(origin)).map(toPublicGrant),
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
  const known = Object.keys(handlers).join(', ')
  throw new BrokerError(
    ERROR_CODE.unsupportedMethod,
    'unsupported_method',
    `method: expected one of ${known}`,
  )
}

/** Calls that may be made again when nobody knows whether they were made. */
function isRepeatable({ method, params }: UnverifiedPageRequest): boolean {
  if (method === 'northbound_connect') return false
  if (method !== 'northbound_fetch') return true
  const { method: verb = 'GET' } = params as { method?: string }
  return /^(?:get|head)$/i.test(verb)
}

/** What came of the flow that an earlier worker began for this call; it ends when the page gives up. */
async function resumeUntilAbort(
  { origin }: Caller,
  requestId: string,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const end = () => void cancelFlowOfCall(origin, requestId)
  if (signal.aborted) end()
  signal.addEventListener('abort', end)
  try {
    return await resumeFlowOfCall(origin, requestId)
  } finally {
    signal.removeEventListener('abort', end)
  }
}

async function answerCall(
  caller: Caller,
  requestId: string,
  request: UnverifiedPageRequest,
  signal: AbortSignal,
  deliver: Call['deliver'],
): Promise<Outcome> {
  const { method, key, params, attempt, userActivation, visible } = request
  try {
    if (!(await isSiteOn(caller.origin))) throw noGrant()
    if (attempt > 0) {
      const outcome = await resumeUntilAbort(caller, requestId, signal)
      // Any other call goes on where its window has brought it what it needs.
      if (outcome && ('error' in outcome || method === 'northbound_connect')) return outcome
      if (!isRepeatable(request)) throw interrupted()
    }
    takeCall(caller.origin)
    if (!isProviderMethod(method)) return throwUnsupported()
    const call = { ...caller, requestId, key, userActivation, visible, signal, deliver }
    return { result: await dispatchCall(call, method, params) }
  } catch (error) {
    return { error: toErrorObject(error) }
  }
}

/** No origin contains a space: the name of a call cannot reach into another origin. */
const callKey = ({ origin }: Caller, requestId: string) => `${origin} ${requestId}`

const callsInFlight = createSingleFlight<Ended>()
/** Abort the calls that run, by the key of the call. */
const controllers = new Map<string, AbortController>()

async function runCall(
  caller: Caller,
  requestId: string,
  request: UnverifiedPageRequest,
  deliver: Call['deliver'],
): Promise<Ended> {
  const key = callKey(caller, requestId)
  const controller = new AbortController()
  controllers.set(key, controller)
  let deliveredBytes = 0
  const outcome = await answerCall(caller, requestId, request, controller.signal, (part) => {
    deliveredBytes += part.byteLength
    deliver(part)
  })
  controllers.delete(key)
  if ('error' in outcome) void logFailedCall(caller.origin, request, outcome.error)
  else if (deliveredBytes > 0) {
    const { body } = outcome.result as FetchResult
    return { ...outcome, length: deliveredBytes + body.byteLength }
  }
  return outcome
}

/** The cached answer to a request: nothing is read, and nothing is awaited. */
function takeCachedAnswer(
  { origin }: Caller,
  { method, key, params, attempt }: UnverifiedPageRequest,
): Ended | undefined {
  if (method !== 'northbound_getAccessToken' || !key || params !== undefined || attempt > 0) {
    return undefined
  }
  const cached = findCachedAnswer(origin, key)
  // An origin that calls too often gets its error where every other call gets it.
  if (!cached || !tryTakeCall(origin)) return undefined
  cached.log()
  return { result: cached.answer }
}

/**
 * Answers a call: from the cache in the same task, or once its method has run. A call that is sent again
 * joins the one that runs.
 *
 * @param requestId Names the call across repeated messages, so that it survives the worker that took it.
 * @param deliver Takes the parts of a large body.
 */
export function handlePageRequest(
  caller: Caller,
  requestId: string,
  request: UnverifiedPageRequest,
  deliver: Call['deliver'],
): Ended | Promise<Ended> {
  return (
    takeCachedAnswer(caller, request) ??
    callsInFlight.run(callKey(caller, requestId), () =>
      runCall(caller, requestId, decodeRequest(request), deliver),
    )
  )
}

export function abortPageRequest(caller: Caller, requestId: string): void {
  const controller = controllers.get(callKey(caller, requestId))
  if (controller) controller.abort()
  // A page that calls and gives up without pause does not make the broker read its disk each time.
  else if (tryTakeCall(caller.origin)) void cancelFlowOfCall(caller.origin, requestId)
}

/** Aborts all calls of a site that was taken back. */
export function abortCallsOfOrigin(origin: string): void {
  for (const [key, controller] of controllers) if (key.startsWith(`${origin} `)) controller.abort()
}
