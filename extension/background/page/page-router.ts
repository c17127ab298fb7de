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
import { cancelCall, outcomeOf } from '../authorization/authorization-flow.ts'
import { grantsOf, publicGrant } from '../grants/grants.ts'
import { connect } from '../methods/connect.ts'
import { createProof } from '../methods/create-proof.ts'
import { sealedFetch } from '../methods/fetch.ts'
import { getAccessToken } from '../methods/get-access-token.ts'
import type { Call, Caller } from '../methods/page-call.ts'
import { revoke } from '../methods/revoke.ts'
import { interrupted, noGrant, Refusal, toErrorObject } from '../platform/broker-error.ts'
import { redirectBase } from '../platform/redirect-base.ts'
import { isSiteOn } from '../sites/sites.ts'
import { logRefusal } from './log-failed-call.ts'
import { type CheckedParams, checkParams, isProviderMethod } from './params.ts'
import { mayCall, takeCall } from './rate-limit.ts'

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
  northbound_getGrants: async ({ origin }) => (await grantsOf(origin)).map(publicGrant),
  northbound_getAccessToken: getAccessToken,
  northbound_fetch: sealedFetch,
  northbound_createProof: createProof,
  northbound_revoke: revoke,
}

interface Running {
  origin: string
  controller: AbortController
  ended: Promise<Ended>
}

const running = new Map<string, Running>()

function dispatch<M extends ProviderMethod>(
  call: Call,
  method: M,
  params: unknown,
): Promise<ProviderMethods[M]['result']> {
  const handler = handlers[method]
  return handler ? handler(call, checkParams(method, params)) : unsupported()
}

function unsupported(): never {
  const known = Object.keys(handlers).join(', ')
  throw new Refusal(
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
async function takeUp(
  { origin }: Caller,
  requestId: string,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const end = () => void cancelCall(origin, requestId)
  if (signal.aborted) end()
  signal.addEventListener('abort', end)
  try {
    return await outcomeOf(origin, requestId)
  } finally {
    signal.removeEventListener('abort', end)
  }
}

async function answer(
  caller: Caller,
  requestId: string,
  request: UnverifiedPageRequest,
  signal: AbortSignal,
  deliver: Call['deliver'],
): Promise<Outcome> {
  const { method, params, attempt, userActivation, visible } = request
  try {
    if (!(await isSiteOn(caller.origin))) throw noGrant()
    if (attempt > 0) {
      const outcome = await takeUp(caller, requestId, signal)
      // Any other call goes on where its window has brought it what it needs.
      if (outcome && ('error' in outcome || method === 'northbound_connect')) return outcome
      if (!isRepeatable(request)) throw interrupted()
    }
    takeCall(caller.origin)
    if (!isProviderMethod(method)) return unsupported()
    const call = { ...caller, requestId, userActivation, visible, signal, deliver }
    return { result: await dispatch(call, method, params) }
  } catch (error) {
    return { error: toErrorObject(error) }
  }
}

/**
 * Answers a call; the same call asked again joins the one that runs.
 *
 * @param requestId Names the call across repeated messages, so that it survives the worker that took it.
 * @param deliver Takes the parts of a large body.
 */
export function handlePageRequest(
  caller: Caller,
  requestId: string,
  request: UnverifiedPageRequest,
  deliver: Call['deliver'],
): Promise<Ended> {
  const known = running.get(requestId)
  if (known?.origin === caller.origin) return known.ended
  const controller = new AbortController()
  let delivered = 0
  const outcome = answer(caller, requestId, request, controller.signal, (part) => {
    delivered += part.byteLength
    deliver(part)
  })
  const ended = outcome.then((came) => {
    running.delete(requestId)
    if ('error' in came) void logRefusal(caller.origin, request, came.error)
    else if (delivered) {
      return { ...came, length: delivered + (came.result as FetchResult).body.byteLength }
    }
    return came
  })
  running.set(requestId, { origin: caller.origin, controller, ended })
  return ended
}

export function abortPageRequest(caller: Caller, requestId: string): void {
  const known = running.get(requestId)
  if (known?.origin === caller.origin) known.controller.abort()
  // A page that calls and gives up without pause does not make the broker read its disk each time.
  else if (mayCall(caller.origin)) void cancelCall(caller.origin, requestId)
}

/** The site was taken back: what it waits for ends. */
export function abortOrigin(origin: string): void {
  for (const call of running.values()) if (call.origin === origin) call.controller.abort()
}
