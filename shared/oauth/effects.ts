/**
 * Dependencies of the protocol code on its environment. The caller injects them, so that the same code runs
 * in a service worker, in a page, in Node and in a test.
 */

import { type Client, clockSkew, clockTolerance } from 'oauth4webapi'
import type { JwksStore } from './jwks-store.ts'

export interface Effects {
  fetch: typeof fetch
  /** Epoch milliseconds. */
  now(): number
  /** Allows http on loopback, and nowhere else. For development and tests. */
  allowInsecureLoopback?: boolean
  /** Timeout of one request including the reading of its response. Default 10 s, at most 25 s. */
  timeoutMs?: number
  /** Aborts the request in flight. */
  signal?: AbortSignal
  /** Cache of the servers' key sets. Default: one cache for the whole program. */
  jwks?: JwksStore
}

/** The browser may stop a worker in which no event arrives for 30 s, also during a request. A request ends well before. */
const TIMEOUT_LIMIT_MS = 25_000
const TIMEOUT_DEFAULT_MS = 10_000

/** The timeout of one request. */
export function timeoutMs(effects: Effects): number {
  return Math.min(effects.timeoutMs ?? TIMEOUT_DEFAULT_MS, TIMEOUT_LIMIT_MS)
}

/** Tolerated difference between two clocks; TS 33.122 annex C allows at most 30 s. */
export const CLOCK_TOLERANCE_SECONDS = 30

/** Seconds by which the injected clock is ahead of the system clock, which oauth4webapi reads. */
export function skewSeconds(effects: Effects): number {
  return Math.floor(effects.now() / 1000) - Math.floor(Date.now() / 1000)
}

/** The client as oauth4webapi takes it, on the injected clock. */
export function protocolClient(clientId: string, effects: Effects): Client {
  return {
    client_id: clientId,
    [clockSkew]: skewSeconds(effects),
    [clockTolerance]: CLOCK_TOLERANCE_SECONDS,
  }
}
