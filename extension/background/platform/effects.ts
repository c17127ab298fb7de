/** What the core may do to the world when it runs in the broker. */

import type { Effects } from '../../../shared/core/index.ts'
import { REQUEST_TIMEOUT_MS } from '../../limits.ts'

export function createEffects(signal?: AbortSignal): Effects {
  return {
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    timeoutMs: REQUEST_TIMEOUT_MS,
    allowInsecureLoopback: __DEVELOPMENT__,
    ...(signal ? { signal } : {}),
  }
}
