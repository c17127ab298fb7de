/**
 * Token records and their store: one sealed record for each grant, with its access tokens by slot, its refresh
 * token and the name of its DPoP key.
 *
 * Border: `token-records.ts` writes the tokens of a grant that lasts, `token-endings.ts` ends tokens. No other file
 * reads or writes this store.
 *
 * @see RFC 6749 section 6
 */

import type { IdTokenClaims, ServerMetadata } from '../../../shared/core/index.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { joinScopes } from '../../../shared/oauth/scope.ts'
import { deleteKey } from '../clients/keys.ts'
import { withCache } from '../platform/cached-store.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'
import { createKeyedSerialQueue } from '../platform/serial-queue.ts'
import type { AuthorizationResult } from './authorization-result.ts'
import {
  type ReplacedToken,
  type StoredToken,
  type SupersededToken,
  selectUnexpired,
  toStoredToken,
} from './stored-token.ts'

export interface TokenRecord {
  grantId: string
  metadata: ServerMetadata
  /** Access tokens by slot. @see getTokenSlot */
  tokens: Record<string, StoredToken>
  /** Access tokens of earlier authorizations: what ends the tokens of the last one does not end them. */
  replaced?: ReplacedToken[]
  /** DPoP access tokens that the page may still hold, after a renewal has replaced them. */
  superseded?: SupersededToken[]
  /** DPoP access token that the page got last, by resource. */
  given?: Record<string, string>
  /** Access token that came in place of one that the API has refused, by resource. */
  replacements?: Record<string, string>
  /** Resources whose API has refused such a replacement too. A new authorization starts afresh. */
  refused?: string[]
  /** Granted scope of all resources. */
  scope: string
  /** Whether the authorization request named resources, so that each token is for one of them (RFC 8707). */
  isResourceBound?: true
  /** Name of the DPoP key that the tokens are bound to (RFC 9449). */
  keyId: string
  refreshToken?: string
  /** Claims of the first ID token. A later ID token must have the same subject. */
  idTokenClaims?: IdTokenClaims
  /** Set before a refresh token is sent, and removed when the response is stored. */
  refreshSent?: true
}

export const tokenStore = withCache(openSealedStore<TokenRecord>('tokens'))

const joinApiScopes = (apis: ApiAccess[]) => joinScopes(...apis.map(({ scope }) => scope))

/** Creates the record of an authorization, with its access token in each of the slots that it serves. */
export function createTokenRecord(
  grantId: string,
  keyId: string,
  slots: readonly string[],
  { tokens, metadata }: AuthorizationResult,
  apis: ApiAccess[] = [],
): TokenRecord {
  const token = toStoredToken(tokens, Date.now())
  return {
    grantId,
    metadata,
    keyId,
    tokens: Object.fromEntries(slots.map((slot) => [slot, token])),
    scope:
      tokens.resource === undefined ? tokens.scope : joinScopes(tokens.scope, joinApiScopes(apis)),
    ...(tokens.resource !== undefined && { isResourceBound: true as const }),
    ...(tokens.refreshToken !== undefined && { refreshToken: tokens.refreshToken }),
    ...(tokens.idTokenClaims && { idTokenClaims: tokens.idTokenClaims }),
  }
}

/** The keys that the tokens of a record are bound to. */
export const listKeyIds = ({ keyId, superseded = [] }: TokenRecord): string[] => [
  ...new Set([keyId, ...superseded.map((token) => token.keyId)]),
]

export async function deleteKeys(keyIds: string[]): Promise<void> {
  await Promise.all(keyIds.map(deleteKey))
}

/** Serializes the read-modify-write steps on the record of one grant. */
export const runInGrantQueue = createKeyedSerialQueue()

/** Lists the access tokens of a record, each once: a token may be in several slots. */
export const listAccessTokens = ({ tokens }: TokenRecord): string[] => [
  ...new Set(Object.values(tokens).map(({ accessToken }) => accessToken)),
]

/** Lists the access tokens of a record that have not expired, with those that others have replaced. */
export function listUnexpired({ tokens, replaced = [] }: TokenRecord): ReplacedToken[] {
  const byValue = new Map(
    Object.values(tokens).map(({ accessToken, expiresAtMs }) => [
      accessToken,
      { accessToken, expiresAtMs },
    ]),
  )
  return selectUnexpired([...replaced, ...byValue.values()], Date.now())
}
