/**
 * The token that a page has just been given, given again: the same question, and nothing has changed
 * since it was answered. It spares the way through all the records, and for no longer than a minute.
 */

import type { UnverifiedPageRequest } from '../../../shared/messages/broker-channel.ts'
import type {
  AccessToken,
  ApiAccess,
  GetAccessTokenParams,
} from '../../../shared/messages/page-api.ts'
import { deduplicationKey } from '../../../shared/messages/request-deduplication.ts'
import { TOKEN_CACHE_LIFETIME_MS } from '../../limits.ts'
import type { GrantRecord } from '../grants/grants.ts'
import { isFresh, type StoredToken } from '../grants/stored-token.ts'
import { mayCall } from '../page/rate-limit.ts'
import { log } from '../platform/log.ts'
import { changes } from '../platform/state-version.ts'

const METHOD = 'northbound_getAccessToken'
const MAX_QUESTIONS = 100

interface Given {
  grant: GrantRecord
  api: ApiAccess
  token: StoredToken
  minValidityMs: number
  atMs: number
  logAgain(): void
}

const given = new Map<string, Given>()
/** No origin has a space in it: what the page chose to ask cannot reach into another origin's name. */
const nameOf = (origin: string, key: string) => `${origin} ${key}`
/** As of which change they are. */
let asOf = 0

export function toAccessToken(
  { grantId }: GrantRecord,
  api: ApiAccess,
  token: StoredToken,
): AccessToken {
  const { accessToken, tokenType, expiresAtMs: expiresAt, scope } = token
  return { accessToken, tokenType, expiresAt, scope, resource: api.resource, grantId }
}

/**
 * Logs a token that is given, and remembers it.
 *
 * @param before What `changes` said when the question was asked.
 */
export function recordGiven(
  params: GetAccessTokenParams,
  grant: GrantRecord,
  api: ApiAccess,
  token: StoredToken,
  before: number,
): void {
  const { origin, issuer, mode } = grant
  const logAgain = log.record('token', 'given to the site', { origin, issuer, mode, apis: [api] })
  const key = deduplicationKey(METHOD, params, JSON.stringify)
  if (!key || before !== changes()) return
  if (asOf !== before || given.size >= MAX_QUESTIONS) given.clear()
  asOf = before
  const { minValiditySeconds = 0 } = params
  const minValidityMs = minValiditySeconds * 1_000
  given.set(nameOf(origin, key), { grant, api, token, minValidityMs, atMs: Date.now(), logAgain })
}

/**
 * The token, where this question was answered with it and everything still is as it was. The question is
 * asked by its key, without parameters beside it.
 */
export function givenAgain(
  origin: string,
  { key, params, attempt }: UnverifiedPageRequest,
): AccessToken | undefined {
  if (!key || params !== undefined || attempt > 0 || asOf !== changes()) return undefined
  const known = given.get(nameOf(origin, key))
  if (!known) return undefined
  const { grant, api, token, minValidityMs, atMs, logAgain } = known
  const now = Date.now()
  if (now - atMs > TOKEN_CACHE_LIFETIME_MS || grant.expiresAt <= now) return undefined
  if (!isFresh(token, minValidityMs, now) || !mayCall(origin)) return undefined
  logAgain()
  return toAccessToken(grant, api, token)
}
