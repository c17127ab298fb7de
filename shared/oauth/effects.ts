/**
 * What the protocol needs from its surroundings. Nothing here is reached for: whoever calls hands it
 * in, so that the same code runs in a service worker, in a page, in Node and in a test.
 */

import { type Client, clockSkew, clockTolerance } from 'oauth4webapi'
import type { JwksStore } from './jwks-store.ts'

export interface Effects {
  fetch: typeof fetch
  /** Epoch milliseconds. */
  now(): number
  /** Allows http, on loopback alone. For development and tests. */
  allowInsecureLoopback?: boolean
  /** Limit for one request and the reading of its answer. Default 10 s, at most 25 s. */
  timeoutMs?: number
  /** Gives up whatever is under way. */
  signal?: AbortSignal
  /** Where key sets of servers are remembered. Default: one store for the whole program. */
  jwks?: JwksStore
}

/** A worker may be stopped 30 s after a silent request began; ours has to end well before. */
const TIMEOUT_LIMIT_MS = 25_000
const TIMEOUT_DEFAULT_MS = 10_000

/** The limit that holds for one request. */
export function timeoutMs(effects: Effects): number {
  return Math.min(effects.timeoutMs ?? TIMEOUT_DEFAULT_MS, TIMEOUT_LIMIT_MS)
}

/** Seconds by which two clocks may differ; TS 33.122 annex C allows at most 30. */
export const CLOCK_TOLERANCE_SECONDS = 30

/** Seconds by which the injected clock is ahead of the system's, which oauth4webapi reads. */
export function skewSeconds(effects: Effects): number {
  return Math.floor(effects.now() / 1000) - Math.floor(Date.now() / 1000)
}

/** The client as oauth4webapi wants it, on the injected clock. */
export function protocolClient(clientId: string, effects: Effects): Client {
  return {
    client_id: clientId,
    [clockSkew]: skewSeconds(effects),
    [clockTolerance]: CLOCK_TOLERANCE_SECONDS,
  }
}
