/**
 * Limits the memory that responses of APIs take, for each origin and for all origins together. A call has a
 * slot while its request is sent and its response is read, and holds at most one part of a body
 * (`response-body.ts`) in it. A body that is longer than a part takes the permit for a complete body. What
 * finds no room waits, for a limited time.
 *
 * A slot is held for the exchange with the API alone: not while a token is renewed or the user is asked.
 *
 * Border: `page/message-octets.ts` limits what pages send.
 */

import { NorthkeyError } from '../../../shared/core/index.ts'
import { API_CALL_TIMEOUT_MS, API_CALL_WAIT_MS } from '../../limits.ts'
import { rateLimited } from '../platform/broker-error.ts'
import { createSemaphore, type Release, type Semaphore } from '../platform/semaphore.ts'

/** Calls of one origin that are at an API at once. Browsers open fewer connections to a server. */
export const MAX_CALLS_OF_ORIGIN = 32
export const MAX_CALLS = 128
/** Calls of one origin that wait for a slot: as many as the burst of the rate limit. */
export const MAX_WAITING_OF_ORIGIN = 2_000
export const MAX_WAITING = 4_000
/** Bodies of more than one part that are read at once: 40 MiB for one origin, 80 MiB for all. */
export const MAX_LARGE_BODIES_OF_ORIGIN = 8
export const MAX_LARGE_BODIES = 16

const slots = createSemaphore({
  perKey: MAX_CALLS_OF_ORIGIN,
  total: MAX_CALLS,
  waitingPerKey: MAX_WAITING_OF_ORIGIN,
  waitingTotal: MAX_WAITING,
})

/** Each call that waits here has a slot. */
const largeBodies = createSemaphore({
  perKey: MAX_LARGE_BODIES_OF_ORIGIN,
  total: MAX_LARGE_BODIES,
  waitingPerKey: MAX_CALLS_OF_ORIGIN,
  waitingTotal: MAX_CALLS,
})

/** Waits for a permit. @param createError Creates the error for the end of the time. */
async function waitFor(
  semaphore: Semaphore,
  origin: string,
  caller: AbortSignal,
  limitMs: number,
  createError: () => Error,
): Promise<Release> {
  const release = semaphore.tryAcquire(origin)
  if (release) return release
  const limit = AbortSignal.timeout(limitMs)
  try {
    return await semaphore.acquire(origin, AbortSignal.any([caller, limit]))
  } catch (error) {
    if (caller.aborted) throw new NorthkeyError('aborted', 'the caller gave up')
    throw limit.aborted ? createError() : error
  }
}

/**
 * Waits for the slot of a call.
 *
 * @throws BrokerError `rate_limited` where too many calls wait, or the wait takes too long: the API has not
 * received the call. NorthkeyError `aborted`.
 */
export function waitForSlot(origin: string, caller: AbortSignal): Promise<Release> {
  return waitFor(slots, origin, caller, API_CALL_WAIT_MS, () =>
    rateLimited('the calls before this one take too long; ask again later', 1),
  )
}

/**
 * Waits for the permit for a body of more than one part. The API has carried out the call.
 *
 * @throws NorthkeyError `timeout` or `aborted`.
 */
export function waitForLargeBody(origin: string, caller: AbortSignal): Promise<Release> {
  return waitFor(
    largeBodies,
    origin,
    caller,
    API_CALL_TIMEOUT_MS,
    () => new NorthkeyError('timeout', 'the answer of the API could not be read in time'),
  )
}
