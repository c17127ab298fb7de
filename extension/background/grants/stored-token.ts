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

/** The margin takes no more of a short lifetime than this part: a token of any lifetime is used, and not only renewed. */
const MARGIN_SHARE = 0.25

/** Time before its expiry from which on a token is renewed. */
const computeMarginMs = ({ obtainedAtMs, expiresAtMs }: StoredToken): number =>
  Math.min(TOKEN_MARGIN_MS, (expiresAtMs - obtainedAtMs) * MARGIN_SHARE)

/**
 * Tells whether a token may be used without renewal. A clock that is earlier than the time of receipt was set
 * back; it cannot tell how much time has passed, so the token is renewed. A token without a stated life serves until
 * the API refuses it.
 */
export function isFresh(token: StoredToken, minValidityMs: number, nowMs: number): boolean {
  const marginMs = computeMarginMs(token)
  if (token.expiresAtMs === UNSTATED_EXPIRY_MS) return true
  if (nowMs < token.obtainedAtMs - marginMs) return false
  return token.expiresAtMs - (token.singleUse ? 0 : Math.max(minValidityMs, marginMs)) > nowMs
}

/**
 * DPoP access token that a renewal has replaced, and for which the page that holds it may need proofs until it expires.
 */
export type SupersededToken = Pick<StoredToken, 'accessToken' | 'expiresAtMs'> & {
  /** Name of the key that it is bound to. */
  keyId: string
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

/** Superseded tokens that are kept: those of the last renewals. */
const MAX_SUPERSEDED = 16

/**
 * The superseded tokens of a grant after some of its tokens are replaced.
 *
 * @param before Superseded tokens before, and the key of those that are replaced now.
 * @param replaced Tokens by slot: one may be in several.
 */
export function supersede(
  { superseded = [], keyId }: { superseded?: SupersededToken[]; keyId: string },
  replaced: StoredToken[],
  nowMs: number,
): SupersededToken[] {
  const added = replaced
    .filter(({ tokenType, singleUse }) => tokenType === 'DPoP' && !singleUse)
    .map(({ accessToken, expiresAtMs }) => ({
      ...boundReplaced({ accessToken, expiresAtMs }, nowMs),
      keyId,
    }))
  const byValue = new Map(added.map((token) => [token.accessToken, token]))
  return selectUnexpired([...superseded, ...byValue.values()], nowMs).slice(-MAX_SUPERSEDED)
}

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
