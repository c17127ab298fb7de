/**
 * Limits the rate of an origin's calls. The limit is far above the need of a page, and far below the
 * rate at which a single page would keep the broker or an operator's servers busy.
 *
 * A call above the limit costs next to nothing: its error is made once and shared. One message of a page may
 * contain hundreds of thousands of calls.
 */

import type { ProviderErrorObject } from '../../../shared/messages/page-api.ts'
import { toErrorObject } from '../platform/broker-error.ts'
import { asksTooOften, createTokenBuckets } from '../platform/rate-limiter.ts'

const takeToken = createTokenBuckets({ burst: 2_000, perSecond: 100 })

/** Seconds until an empty bucket has a token again, rounded up. */
const RETRY_AFTER_SECONDS = 1

/** Error of a call above the rate limit. */
export const RATE_LIMITED: { readonly error: ProviderErrorObject } = {
  error: toErrorObject(asksTooOften(RETRY_AFTER_SECONDS)),
}

/** Takes one call of an origin. @returns `false` where the rate limit is reached. */
export const tryTakeCall = (origin: string): boolean => takeToken(origin) === 0
