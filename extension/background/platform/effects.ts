/** What the core may do to the world when it runs in the broker. */

import type { Effects } from '../../../shared/core/index.ts'

/** Well below the 30 s after which a browser stops a worker in the middle of a request. */
const TIMEOUT_MS = 15_000

export function effects(signal?: AbortSignal): Effects {
  return {
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    timeoutMs: TIMEOUT_MS,
    allowInsecureLoopback: __DEVELOPMENT__,
    ...(signal ? { signal } : {}),
  }
}
