/**
 * Caches the last answers of `northbound_getAccessToken`, by origin and deduplication key. A hit is given
 * without a look at the records. It is given for a minute at most, and only while the state version is the
 * one under which the answer was worked out (`stateVersion`).
 *
 * Border: counting and logging a hit is up to who asks. Requests without a key are not cached.
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
  /** How long the token has to be valid yet, as the page asked. */
  minValidityMs: number
  /** Logs that the answer was given once more. */
  log(): void
}

const cache = new Map<string, CachedAnswer & { cachedAtMs: number }>()
/** The state version of all entries. */
let cachedVersion = 0

/** An origin contains no space: a key, which is the page's own text, cannot reach into another origin. */
const entryKey = (origin: string, key: string) => `${origin} ${key}`

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
  cache.set(entryKey(origin, key), { ...answer, cachedAtMs: Date.now() })
}

/** The cached answer to this request of this origin, while it holds. */
export function findCachedAnswer(origin: string, key: string): CachedAnswer | undefined {
  if (cachedVersion !== getStateVersion()) return undefined
  const entry = cache.get(entryKey(origin, key))
  if (!entry) return undefined
  const { grant, token, minValidityMs, cachedAtMs } = entry
  const now = Date.now()
  if (now - cachedAtMs > TOKEN_CACHE_LIFETIME_MS || grant.expiresAt <= now) return undefined
  return isFresh(token, minValidityMs, now) ? entry : undefined
}
