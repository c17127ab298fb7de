/**
 * Access token as it is stored, and the rules for its use: freshness, slot in the record, scope. Pure: the
 * caller passes the time.
 */

import { type TokenSet, UNSTATED_EXPIRY_MS } from '../../../shared/core/index.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { scopeWords } from '../../../shared/oauth/scope.ts'
import { REPLACED_TOKEN_LIFETIME_MS, TOKEN_MARGIN_MS } from '../../limits.ts'

export interface StoredToken {
  accessToken: string
  tokenType: 'Bearer' | 'DPoP'
  obtainedAtMs: number
  /** `UNSTATED_EXPIRY_MS` if the server states no life. */
  expiresAtMs: number
  scope: string
  /** Valid for one call. */
  singleUse: boolean
}

export function toStoredToken(set: TokenSet, nowMs: number): StoredToken {
  const { accessToken, tokenType, expiresAtMs, scope, singleUse } = set
  return { accessToken, tokenType, obtainedAtMs: nowMs, expiresAtMs, scope, singleUse }
}

/**
 * Tells whether a token may be used without renewal. A clock that is earlier than the time of receipt was set
 * back; it cannot tell how much time has passed, so the token is renewed. A token without a stated life serves until
 * the API refuses it.
 */
export function isFresh(token: StoredToken, minValidityMs: number, nowMs: number): boolean {
  if (token.expiresAtMs === UNSTATED_EXPIRY_MS) return true
  if (nowMs < token.obtainedAtMs - TOKEN_MARGIN_MS) return false
  const margin = token.singleUse ? 0 : Math.max(minValidityMs, TOKEN_MARGIN_MS)
  return token.expiresAtMs - margin > nowMs
}

/** Access token that another one has replaced, and that a page may still hold. It is revoked with the grant. */
export type ReplacedToken = Pick<StoredToken, 'accessToken' | 'expiresAtMs'>

/**
 * Bounds the time for which a replaced token is kept. A replaced token without a stated life would otherwise count
 * among the valid tokens of its grant for as long as the grant lasts.
 */
export const boundReplaced = (token: ReplacedToken, nowMs: number): ReplacedToken =>
  token.expiresAtMs === UNSTATED_EXPIRY_MS
    ? { ...token, expiresAtMs: nowMs + REPLACED_TOKEN_LIFETIME_MS }
    : token

/** Selects the tokens that have not expired. */
export const selectUnexpired = <T extends ReplacedToken>(
  tokens: readonly T[],
  nowMs: number,
): T[] => tokens.filter(({ expiresAtMs }) => expiresAtMs > nowMs)

/**
 * Returns the slot of a token in its record: the resource for the whole granted scope, and the resource with
 * the sorted scope words for a smaller scope.
 */
export function getTokenSlot({ resource, scope }: ApiAccess, wanted: string): string {
  if (wanted === scope) return resource
  const words = scopeWords(wanted).sort().join(' ')
  return words === scopeWords(scope).sort().join(' ') ? resource : `${resource} ${words}`
}

/** Tells whether a token has a granted scope word that was not requested. */
export function exceedsScope(tokenScope: string, wanted: string, granted: ApiAccess[]): boolean {
  if (tokenScope === wanted) return false
  const words = new Set(scopeWords(tokenScope))
  const wantedWords = new Set(scopeWords(wanted))
  return granted
    .flatMap(({ scope }) => scopeWords(scope))
    .some((word) => words.has(word) && !wantedWords.has(word))
}
