/**
 * How often an origin may ask: one token bucket for each origin. The limits are far above what a page
 * needs and far below what would make the broker or an operator's servers busy for one page alone.
 */

import { ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { Refusal } from '../platform/broker-error.ts'

export interface RateLimit {
  /** How many at once. */
  burst: number
  perSecond: number
}

interface Bucket {
  level: number
  at: number
}

/** Buckets that are full again are forgotten, beyond this many. */
const MAX_BUCKETS = 1_000

/** Any call of a page. */
const CALLS: RateLimit = { burst: 2_000, perSecond: 100 }
/** Proofs signed for a page. @see RFC 9449 section 11.4 */
export const PROOFS: RateLimit = { burst: 200, perSecond: 20 }

/**
 * @param now A clock in milliseconds that never goes back.
 * @returns Takes one, or refuses with `rate_limited` and the time after which there is one again.
 */
export function createRateLimiter(
  { burst, perSecond }: RateLimit,
  now: () => number = () => performance.now(),
): (origin: string) => void {
  const buckets = new Map<string, Bucket>()

  function forgetFull(at: number): void {
    for (const [origin, bucket] of buckets) {
      if (bucket.level + ((at - bucket.at) / 1_000) * perSecond >= burst) buckets.delete(origin)
    }
  }

  return (origin) => {
    const at = now()
    const { level, at: before } = buckets.get(origin) ?? { level: burst, at }
    const filled = Math.min(burst, level + (Math.max(0, at - before) / 1_000) * perSecond)
    if (filled < 1) {
      buckets.set(origin, { level: filled, at })
      const retryAfterSeconds = Math.ceil((1 - filled) / perSecond)
      throw new Refusal(
        ERROR_CODE.rateLimited,
        'rate_limited',
        'this origin asks too often; ask again later',
        { retryAfterSeconds },
      )
    }
    if (buckets.size >= MAX_BUCKETS && !buckets.has(origin)) forgetFull(at)
    buckets.set(origin, { level: filled - 1, at })
  }
}

/** Takes one call of an origin. */
export const takeCall = createRateLimiter(CALLS)

/** The same for who does not want to know how long to wait. */
export function mayCall(origin: string): boolean {
  try {
    takeCall(origin)
    return true
  } catch {
    return false
  }
}
