/**
 * Limits how often an origin may call. The limit is far above what a page needs and far below what would
 * make the broker or an operator's servers busy for one page alone.
 */

import { createRateLimiter } from '../platform/rate-limiter.ts'

/** Takes one call of an origin. @throws BrokerError `rate_limited` */
export const takeCall = createRateLimiter({ burst: 2_000, perSecond: 100 })

/** Takes one call of an origin, or says that there is none. */
export function tryTakeCall(origin: string): boolean {
  try {
    takeCall(origin)
    return true
  } catch {
    return false
  }
}
