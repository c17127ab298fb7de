/** Limits the rate of an action for each origin, with a token bucket for each origin. */

import { rateLimited } from './broker-error.ts'

export interface RateLimit {
  /** Number of actions at once, the size of the bucket. */
  burst: number
  perSecond: number
}

interface Bucket {
  level: number
  at: number
}

/** Number of buckets above which full buckets are deleted. */
const MAX_BUCKETS = 1_000

/**
 * @param now Monotonic clock, in milliseconds.
 * @returns Function that takes one token of an origin's bucket. For an empty bucket it returns the seconds until
 * the next token, otherwise 0.
 */
export function createTokenBuckets(
  { burst, perSecond }: RateLimit,
  now: () => number = () => performance.now(),
): (origin: string) => number {
  const buckets = new Map<string, Bucket>()

  function deleteFullBuckets(at: number): void {
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
      return Math.ceil((1 - filled) / perSecond)
    }
    if (buckets.size >= MAX_BUCKETS && !buckets.has(origin)) deleteFullBuckets(at)
    buckets.set(origin, { level: filled - 1, at })
    return 0
  }
}

/** @param retryAfterSeconds Seconds until the next call is allowed. */
export const asksTooOften = (retryAfterSeconds: number) =>
  rateLimited('this origin asks too often; ask again later', retryAfterSeconds)

/**
 * @returns Function that takes one token of an origin's bucket. It throws BrokerError `rate_limited` for an
 * empty bucket, with the seconds until the next token.
 */
export function createRateLimiter(limit: RateLimit, now?: () => number): (origin: string) => void {
  const takeToken = createTokenBuckets(limit, now)
  return (origin) => {
    const retryAfterSeconds = takeToken(origin)
    if (retryAfterSeconds > 0) throw asksTooOften(retryAfterSeconds)
  }
}
