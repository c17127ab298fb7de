/** Creates the effects of the core in the broker: its `fetch`, clock, time limit and loopback rule. */

import type { Effects } from '../../../shared/core/index.ts'
import { REQUEST_TIMEOUT_MS } from '../../limits.ts'

/** @param signal Aborts the requests. */
export function createEffects(signal?: AbortSignal): Effects {
  return {
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    timeoutMs: REQUEST_TIMEOUT_MS,
    allowInsecureLoopback: __DEVELOPMENT__,
    ...(signal ? { signal } : {}),
  }
}
