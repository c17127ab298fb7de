/**
 * Limits the memory that the messages of pages take: the octets of method, deduplication key and parameters,
 * with the bodies of requests, from the arrival of a call to its end, for each origin and for all origins
 * together. A call that waits takes as much memory as one that runs, so a call above the limit is an error
 * at once. The number of members is limited too: whatever walks over the parameters after this file has
 * little to do.
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

/** Longest call that is counted with the small ones: large bodies of other origins do not keep it out. */
const SMALL_CALL = 32 * 1024
const MAX_SMALL_OF_ORIGIN = 16 * MIB
const MAX_SMALL = 64 * MIB

const createOctets = (perKey: number, total: number) =>
  createSemaphore({ perKey, total, waitingPerKey: 0, waitingTotal: 0 })

const octetsOfLargeCalls = createOctets(MAX_OCTETS_OF_ORIGIN, MAX_OCTETS)
const octetsOfSmallCalls = createOctets(MAX_SMALL_OF_ORIGIN, MAX_SMALL)

/** No valid parameters are deeper. */
const MAX_DEPTH = 4
/** No valid parameters have more members, at all levels together. */
export const MAX_MEMBERS = 1_000

const PLAIN_CLASSES: readonly string[] = ['[object Object]', '[object Array]']

/**
 * Lists the values of an object or array. Of other classes it lists none: a typed array or a `String` object
 * has a member for each octet, and no valid parameters contain one.
 */
function listMembers(value: object): [name: string, member: unknown][] {
  if (!PLAIN_CLASSES.includes({}.toString.call(value))) return []
  // Before they are listed: a long array takes much more memory as a list of members.
  const { length } = Array.isArray(value) ? value : Object.keys(value)
  if (length > MAX_MEMBERS) throw tooManyMembers()
  return Object.entries(value)
}

const tooManyMembers = () =>
  invalidParams(`params: expected at most ${MAX_MEMBERS} members, at all levels together`)

/**
 * Measures the octets that plain data takes in memory. A character takes two at most. The walk is bounded: a
 * message may contain one object in many places, so that a few octets unfold to any number of members.
 *
 * @throws BrokerError `invalid_params` for too many members.
 */
function measureOctets(params: unknown): number {
  let members = 0
  function measure(value: unknown, depth: number): number {
    if (++members > MAX_MEMBERS) throw tooManyMembers()
    if (typeof value === 'string') return 2 * value.length
    if (value instanceof ArrayBuffer) return value.byteLength
    if (typeof value !== 'object' || value === null || depth === 0) return 0
    return listMembers(value).reduce(
      (octets, [name, member]) => octets + 2 * name.length + measure(member, depth - 1),
      0,
    )
  }
  return measure(params, MAX_DEPTH)
}

/**
 * Counts the octets of a call until it ends.
 *
 * @throws BrokerError `rate_limited` where they exceed the limit together with those of other calls;
 * `invalid_params` where they exceed it alone, and for parameters with too many members.
 */
export function takeOctets(
  origin: string,
  { method, key = '', params }: UnverifiedPageRequest,
): Release {
  const octets = 2 * (method.length + key.length) + measureOctets(params)
  // Such a call would exceed the limit at any later time, too.
  if (octets > MAX_OCTETS_OF_ORIGIN) throw invalidParams('params: expected at most 64 MiB')
  const octetsInUse = octets > SMALL_CALL ? octetsOfLargeCalls : octetsOfSmallCalls
  const release = octetsInUse.tryAcquire(origin, octets)
  if (!release)
    throw rateLimited('the calls of this origin are too large together; ask again later', 1)
  return release
}
