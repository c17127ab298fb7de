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
import { withCache } from '../platform/cached-store.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'
import { createKeyedSerialQueue } from '../platform/serial-queue.ts'
import type { AuthorizationResult } from './authorization-result.ts'
import {
  type ReplacedToken,
  type StoredToken,
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
  /** Scope that the page requested last, by resource, where it is smaller than the granted scope. */
  given?: Record<string, string>
  /** Granted scope of all resources. */
  scope: string
  /** The only resource that the token response was for, at a server with resource indicators (RFC 8707). */
  resource?: string
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

/** Creates the record of an authorization. */
export function createTokenRecord(
  grantId: string,
  keyId: string,
  slot: string,
  { tokens, metadata }: AuthorizationResult,
  apis: ApiAccess[] = [],
): TokenRecord {
  return {
    grantId,
    metadata,
    keyId,
    tokens: { [slot]: toStoredToken(tokens, Date.now()) },
    scope: tokens.resource === undefined ? tokens.scope : joinApiScopes(apis),
    ...(tokens.resource !== undefined && { resource: tokens.resource }),
    ...(tokens.refreshToken !== undefined && { refreshToken: tokens.refreshToken }),
    ...(tokens.idTokenClaims && { idTokenClaims: tokens.idTokenClaims }),
  }
}

/** Serializes the read-modify-write steps on the record of one grant. */
export const runInGrantQueue = createKeyedSerialQueue()

/** Lists the access tokens of a record that have not expired, with those that others have replaced. */
export function listUnexpired({ tokens, replaced = [] }: TokenRecord): ReplacedToken[] {
  const stored = Object.values(tokens).map(({ accessToken, expiresAtMs }) => ({
    accessToken,
    expiresAtMs,
  }))
  return selectUnexpired([...replaced, ...stored], Date.now())
}
