/**
 * Creates the effects of the core in the broker: its `fetch`, clock, time limit and loopback rule. All requests
 * and WebSockets of the broker to servers begin here, and each of them has a set of allowed origins. A request to
 * any other origin fails before a single octet of it is sent.
 */

import { type Effects, NorthkeyError } from '../../../shared/core/index.ts'
import { REQUEST_TIMEOUT_MS } from '../../limits.ts'
import { requireAnonymousRequest } from './anonymous-requests.ts'

/** Origins that requests may be sent to. For an operator: `operators/operator-servers.ts`. */
export type AllowedOrigins = ReadonlySet<string>

/** @throws NorthkeyError `invalid_metadata` for another origin. */
function requireAllowed(origin: string, allowed: AllowedOrigins): void {
  if (allowed.has(origin)) return
  throw new NorthkeyError(
    'invalid_metadata',
    'the request must go to a server that the operator profile names',
  )
}

const getUrl = (input: RequestInfo | URL) => new URL(input instanceof Request ? input.url : input)

/**
 * @param allowed The only origins that are reached.
 * @param signal Aborts the requests.
 */
export function createEffects(allowed: AllowedOrigins, signal?: AbortSignal): Effects {
  return {
    async fetch(input, init) {
      const { origin } = getUrl(input)
      requireAllowed(origin, allowed)
      await requireAnonymousRequest(origin)
      return fetch(input, init)
    },
    now: () => Date.now(),
    timeoutMs: REQUEST_TIMEOUT_MS,
    allowInsecureLoopback: __DEVELOPMENT__,
    ...(signal ? { signal } : {}),
  }
}

/** Returns the origin of the WebSocket's handshake, which is a request of http or https. */
function getHandshakeOrigin(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined
  const url = new URL(uri)
  if (url.protocol === 'wss:') return `https://${url.host}`
  return url.protocol === 'ws:' ? `http://${url.host}` : undefined
}

/**
 * Tells whether a WebSocket may be opened: at an allowed origin. Plain `ws` is possible on loopback in a
 * development build only, since no other build accepts an operator with an http origin.
 */
export function isAllowedWebSocket(uri: string, allowed: AllowedOrigins): boolean {
  const origin = getHandshakeOrigin(uri)
  return origin !== undefined && allowed.has(origin)
}

/** @throws NorthkeyError `invalid_metadata` for another origin than the allowed ones. */
export function openWebSocket(uri: string, allowed: AllowedOrigins): WebSocket {
  requireAllowed(getHandshakeOrigin(uri) ?? '', allowed)
  return new WebSocket(uri)
}
