/**
 * Limits the rate of an origin's calls. The limit is far above the need of a page, and far below the
 * rate at which a single page would keep the broker or an operator's servers busy.
 */

import { createRateLimiter } from '../platform/rate-limiter.ts'

/** Takes one call of an origin. @throws BrokerError `rate_limited` */
export const takeCall = createRateLimiter({ burst: 2_000, perSecond: 100 })

/** Takes one call of an origin. @returns `false` where the rate limit is reached. */
export function tryTakeCall(origin: string): boolean {
  try {
    takeCall(origin)
    return true
  } catch {
    return false
  }
}
