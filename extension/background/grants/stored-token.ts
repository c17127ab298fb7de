/** What is kept of an access token, and for what it still serves. Nothing here reads a clock. */

import type { TokenSet } from '../../../shared/core/index.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { scopeWords } from '../../../shared/oauth/scope.ts'
import { TOKEN_MARGIN_MS } from '../../limits.ts'

export interface StoredToken {
  accessToken: string
  tokenType: 'Bearer' | 'DPoP'
  obtainedAtMs: number
  expiresAtMs: number
  scope: string
  /** Serves one call. */
  singleUse: boolean
}

export function toStoredToken(set: TokenSet, nowMs: number): StoredToken {
  const { accessToken, tokenType, expiresAtMs, scope, singleUse } = set
  return { accessToken, tokenType, obtainedAtMs: nowMs, expiresAtMs, scope, singleUse }
}

/**
 * Whether a token may be used as it is. A clock that stands before the moment at which the token came
 * was set back, and says nothing about the time that has passed since.
 */
export function isFresh(token: StoredToken, minValidityMs: number, nowMs: number): boolean {
  if (nowMs < token.obtainedAtMs - TOKEN_MARGIN_MS) return false
  const margin = token.singleUse ? 0 : Math.max(minValidityMs, TOKEN_MARGIN_MS)
  return token.expiresAtMs - margin > nowMs
}

/** Where the token for this much of an API is kept: beside the one for all that was granted of it. */
export function getTokenSlot({ resource, scope }: ApiAccess, wanted: string): string {
  if (wanted === scope) return resource
  const words = scopeWords(wanted).sort().join(' ')
  return words === scopeWords(scope).sort().join(' ') ? resource : `${resource} ${words}`
}

/** Whether a token says more than is wanted: a word of the grant that was not asked for. */
export function exceedsScope(tokenScope: string, wanted: string, granted: ApiAccess[]): boolean {
  if (tokenScope === wanted) return false
  const words = new Set(scopeWords(tokenScope))
  const wantedWords = new Set(scopeWords(wanted))
  return granted
    .flatMap(({ scope }) => scopeWords(scope))
    .some((word) => words.has(word) && !wantedWords.has(word))
}
