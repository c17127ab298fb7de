/**
 * Limits the memory that the messages of pages take: the octets of all parameters, with the bodies of
 * requests, from the arrival of a call to its end, for each origin and for all origins together. A call
 * that waits takes as much memory as one that runs, so a call above the limit is an error at once.
 *
 * Border: `api-calls/call-slots.ts` limits what APIs answer.
 */

import type { UnverifiedPageRequest } from '../../../shared/messages/broker-channel.ts'
import { invalidParams, rateLimited } from '../platform/broker-error.ts'
import { createSemaphore, type Release } from '../platform/semaphore.ts'

const MIB = 1024 * 1024
/** Twelve bodies of the longest kind. */
export const MAX_OCTETS_OF_ORIGIN = 64 * MIB
export const MAX_OCTETS = 128 * MIB

const octetsInUse = createSemaphore({
  perKey: MAX_OCTETS_OF_ORIGIN,
  total: MAX_OCTETS,
  waitingPerKey: 0,
  waitingTotal: 0,
})

/** No valid parameters are deeper. */
const MAX_DEPTH = 4

/** Octets that plain data takes in memory. A character takes two at most. */
function measureOctets(value: unknown, depth = MAX_DEPTH): number {
  if (typeof value === 'string') return 2 * value.length
  if (value instanceof ArrayBuffer) return value.byteLength
  if (typeof value !== 'object' || value === null || depth === 0) return 0
  return Object.entries(value).reduce(
    (octets, [name, member]) => octets + 2 * name.length + measureOctets(member, depth - 1),
    0,
  )
}

/**
 * Counts the octets of a call until it ends.
 *
 * @throws BrokerError `rate_limited` where they exceed the limit together with those of other calls,
 * `invalid_params` where they exceed it alone.
 */
export function takeOctets(origin: string, { params }: UnverifiedPageRequest): Release {
  const octets = measureOctets(params)
  // Such a call would exceed the limit at any later time, too.
  if (octets > MAX_OCTETS_OF_ORIGIN) throw invalidParams('params: expected at most 64 MiB')
  const release = octetsInUse.tryAcquire(origin, octets)
  if (!release)
    throw rateLimited('the calls of this origin are too large together; ask again later', 1)
  return release
}
