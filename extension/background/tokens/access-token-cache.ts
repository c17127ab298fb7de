/**
 * Caches the last answers of `northbound_getAccessToken` by origin and deduplication key. A cache hit
 * reads no record. An entry is valid for a minute at most, while its token and its grant are, and while
 * the state version is the version under which the answer was made (`platform/state-version.ts`): any
 * change of a grant, a token, an operator or a site invalidates the whole cache.
 *
 * Border: the router counts a hit for the rate limit and logs it. Requests without a key are not
 * cached.
 */

import type { AccessToken } from '../../../shared/messages/page-api.ts'
import { TOKEN_CACHE_LIFETIME_MS } from '../../limits.ts'
import type { GrantRecord } from '../grants/grants.ts'
import { isFresh, type StoredToken } from '../grants/stored-token.ts'
import { getStateVersion } from '../platform/state-version.ts'

const MAX_ENTRIES = 100
/** Longer than the key of any valid parameters. */
const MAX_KEY_LENGTH = 10_000

export interface CachedAnswer {
  answer: AccessToken
  grant: GrantRecord
  token: StoredToken
  /** The shortest remaining validity of the token that the page accepts, in milliseconds. */
  minValidityMs: number
  /** Logs that the answer was given again: the log counts it in the entry that is there. */
  log(): void
}

const cache = new Map<string, CachedAnswer & { cachedAtMs: number }>()
/** The state version of all entries. */
let cachedVersion = 0

/**
 * An origin contains no space: a key, which is the page's own text, cannot reach into another origin.
 */
const getEntryKey = (origin: string, key: string) => `${origin} ${key}`

/**
 * @param key The deduplication key of the request. Without one the answer is not cached.
 * @param version The state version when the work on the answer began.
 */
export function cacheAnswer(
  origin: string,
  key: string | undefined,
  answer: CachedAnswer,
  version: number,
): void {
  if (!key || key.length > MAX_KEY_LENGTH || version !== getStateVersion()) return
  if (cachedVersion !== version || cache.size >= MAX_ENTRIES) cache.clear()
  cachedVersion = version
  cache.set(getEntryKey(origin, key), { ...answer, cachedAtMs: Date.now() })
}

/** The cached answer to a request of an origin, if it is still valid. */
export function findCachedAnswer(origin: string, key: string): CachedAnswer | undefined {
  if (cachedVersion !== getStateVersion()) return undefined
  const entry = cache.get(getEntryKey(origin, key))
  if (!entry) return undefined
  const { grant, token, minValidityMs, cachedAtMs } = entry
  const now = Date.now()
  if (now - cachedAtMs > TOKEN_CACHE_LIFETIME_MS || grant.expiresAt <= now) return undefined
  return isFresh(token, minValidityMs, now) ? entry : undefined
}
