/**
 * Stores token records: one sealed record for each grant, with its access tokens by slot, its refresh token
 * and the name of its DPoP key. When a grant ends, its tokens are deleted here and revoked at the server.
 *
 * Border: no other file reads or writes this store. Requests for tokens are in `tokens/`.
 *
 * @see RFC 6749 section 6, RFC 7009
 */

import type {
  DpopKey,
  IdTokenClaims,
  ServerMetadata,
  TokenSet,
} from '../../../shared/core/index.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { joinScopes } from '../../../shared/oauth/scope.ts'
import { deleteKey, getKey } from '../clients/keys.ts'
import { noGrant } from '../platform/broker-error.ts'
import { withCache } from '../platform/cached-store.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'
import { createKeyedSerialQueue } from '../platform/serial-queue.ts'
import type { AuthorizationResult } from './authorization-result.ts'
import { hasGrantEnded } from './ended-grants.ts'
import type { GrantRecord } from './grants.ts'
import { revokeTokens, type TokenOwner } from './revocations.ts'
import {
  isFresh,
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
  /** Name of the DPoP key that the tokens are bound to (RFC 9449). */
  keyId: string
  refreshToken?: string
  /** Claims of the first ID token. A later ID token must have the same subject. */
  idTokenClaims?: IdTokenClaims
  /** Set before a refresh token is sent, and removed when the response is stored. */
  refreshSent?: true
}

const store = withCache(openSealedStore<TokenRecord>('tokens'))

/** Opens the database before the first call needs it. */
export async function openTokens(): Promise<void> {
  await store.get('')
}

export function readTokens(grantId: string): Promise<TokenRecord | undefined> {
  return store.get(grantId)
}

type TokensListener = (grant: GrantRecord, accessTokens: string[]) => void
const tokensListeners = new Set<TokensListener>()

/** @param listener Called each time that tokens of a grant have been stored, with those that have not expired. */
export function onTokensStored(listener: TokensListener): void {
  tokensListeners.add(listener)
}

/**
 * Stores a record. Tokens that arrive after the end of their grant are not stored but revoked.
 *
 * @throws BrokerError `no_grant` when the grant has ended in the meantime.
 */
export async function saveRecord(grant: GrantRecord, record: TokenRecord): Promise<void> {
  if (!hasGrantEnded(grant.grantId)) {
    await store.set(grant.grantId, record)
    const accessTokens = listUnexpired(record).map(({ accessToken }) => accessToken)
    for (const listener of tokensListeners) listener(grant, accessTokens)
  }
  if (!hasGrantEnded(grant.grantId)) return
  await store.delete(grant.grantId)
  await revokeAtServer(grant, record)
  throw noGrant()
}

/**
 * Stores a changed record. The tokens of a grant that has ended in the meantime are deleted, and revoked by
 * what ended the grant.
 */
async function updateRecord(record: TokenRecord): Promise<void> {
  const { grantId } = record
  if (!hasGrantEnded(grantId)) await store.set(grantId, record)
  if (hasGrantEnded(grantId)) await store.delete(grantId)
}

const joinApiScopes = (apis: ApiAccess[]) => joinScopes(...apis.map(({ scope }) => scope))

function createRecord(
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
    ...(tokens.refreshToken !== undefined && { refreshToken: tokens.refreshToken }),
    ...(tokens.idTokenClaims && { idTokenClaims: tokens.idTokenClaims }),
  }
}

/** Serializes the read-modify-write steps on the record of one grant. */
export const runInGrantQueue = createKeyedSerialQueue()

/** Deletes a record whose key is gone, unless a renewal has stored tokens for another key in the meantime. */
async function deleteWithoutKey({ grantId, keyId }: TokenRecord): Promise<void> {
  await runInGrantQueue(grantId, async () => {
    if ((await store.get(grantId))?.keyId === keyId) await store.delete(grantId)
  })
}

/**
 * Returns the key that the tokens of a grant are bound to. Without the key the tokens are useless: they are
 * deleted.
 */
export async function getDpopKey(grant: GrantRecord): Promise<DpopKey | undefined> {
  const record = await store.get(grant.grantId)
  const key = record && (await getKey(record.keyId))
  if (record && !key) await deleteWithoutKey(record)
  return key
}

/** Lists the access tokens of a record that have not expired, with those that others have replaced. */
export function listUnexpired({ tokens, replaced = [] }: TokenRecord): ReplacedToken[] {
  const stored = Object.values(tokens).map(({ accessToken, expiresAtMs }) => ({
    accessToken,
    expiresAtMs,
  }))
  return selectUnexpired([...replaced, ...stored], Date.now())
}

const withReplaced = (record: TokenRecord, replaced: ReplacedToken[]): TokenRecord =>
  replaced.length > 0 ? { ...record, replaced: [...(record.replaced ?? []), ...replaced] } : record

/**
 * Stores the tokens of an authorization. They replace the tokens of an earlier authorization.
 *
 * @param replaced Tokens of earlier authorizations that are deleted already.
 */
export async function saveTokens(
  grant: GrantRecord,
  keyId: string,
  slot: string,
  authorized: AuthorizationResult,
  replaced: ReplacedToken[] = [],
): Promise<void> {
  const earlier = await store.get(grant.grantId)
  const record = createRecord(grant.grantId, keyId, slot, authorized, grant.apis)
  const former = earlier ? listUnexpired(earlier) : []
  await saveRecord(grant, withReplaced(record, [...replaced, ...former]))
  if (earlier && earlier.keyId !== keyId) await deleteKey(earlier.keyId)
}

/** Has a grant revoke, when it ends, the tokens of a grant that it has replaced. */
export async function addReplaced(grantId: string, replaced: ReplacedToken[]): Promise<void> {
  if (replaced.length === 0) return
  await runInGrantQueue(grantId, async () => {
    const record = await store.get(grantId)
    if (record) await updateRecord(withReplaced(record, replaced))
  })
}

/** Revokes the tokens of an authorization that no grant uses. */
export async function revokeUnused(
  owner: TokenOwner,
  keyId: string,
  authorized: AuthorizationResult,
): Promise<void> {
  await revokeAtServer(owner, createRecord('', keyId, '', authorized))
}

/**
 * Deletes one access token, for instance after a 401. A newer token in the same slot stays. It runs in the
 * queue of the grant, so that a concurrent renewal does not lose its result.
 *
 * @returns Whether the token was still stored.
 */
export function dropAccessToken(
  grantId: string,
  slot: string,
  accessToken: string,
): Promise<boolean> {
  return runInGrantQueue(grantId, () => removeAccessToken(grantId, slot, accessToken))
}

/** Does the same for a caller that is in the queue of the grant already. */
export async function removeAccessToken(
  grantId: string,
  slot: string,
  accessToken: string,
): Promise<boolean> {
  const record = await store.get(grantId)
  if (record?.tokens[slot]?.accessToken !== accessToken) return false
  const { [slot]: _, ...tokens } = record.tokens
  await updateRecord({ ...record, tokens })
  return true
}

/**
 * Returns the scope of an API that the page requested last: its DPoP proofs are for the token of that
 * scope.
 */
export async function getScopeInUse({ grantId }: GrantRecord, api: ApiAccess): Promise<string> {
  return (await store.get(grantId))?.given?.[api.resource] ?? api.scope
}

/** Scope that was requested last, by grant and resource. The record may not contain it yet. */
const lastRequestedScopes = new Map<string, string>()

export async function setScopeInUse(
  grant: GrantRecord,
  api: ApiAccess,
  scope: string,
): Promise<void> {
  const { grantId } = grant
  const { resource } = api
  const key = `${grantId} ${resource}`
  lastRequestedScopes.set(key, scope)
  // Most calls request the same scope as the call before: these do not enter the queue.
  if ((await getScopeInUse(grant, api)) === scope) return
  await runInGrantQueue(grantId, async () => {
    for (;;) {
      const record = await store.get(grantId)
      const last = lastRequestedScopes.get(key) ?? scope
      if (!record || (record.given?.[resource] ?? api.scope) === last) return
      await updateRecord({ ...record, given: { ...record.given, [resource]: last } })
    }
  })
}

/** Returns the claims that the server requires in proofs in addition to those of RFC 9449. */
export async function getRequiredProofClaims(grant: GrantRecord): Promise<string[] | undefined> {
  return (await store.get(grant.grantId))?.metadata.camara_dpop_claims_required
}

/**
 * Deletes the tokens of a grant that has ended, then revokes them at the server, now or later.
 *
 * @returns Whether the server has received the revocation.
 */
export async function endTokens(grant: GrantRecord): Promise<boolean> {
  const record = await store.get(grant.grantId)
  await store.delete(grant.grantId)
  return record ? revokeAtServer(grant, record) : true
}

/**
 * Deletes the tokens of a replaced grant without a revocation: a server that keeps one authorization for each
 * subscriber and client would end the new grant too.
 *
 * @returns The access tokens that are still to be revoked when the new grant ends.
 */
export async function deleteTokens(grantId: string): Promise<ReplacedToken[]> {
  const record = await store.get(grantId)
  await store.delete(grantId)
  if (!record) return []
  await deleteKey(record.keyId)
  return listUnexpired(record)
}

/**
 * Throws away all tokens of a grant that stays, after a refresh whose response must not be trusted: revokes
 * them and the tokens of that response.
 */
export async function discardTokens(
  grant: GrantRecord,
  record: TokenRecord,
  { accessToken, refreshToken }: TokenSet,
): Promise<void> {
  await store.delete(grant.grantId)
  const accessTokens = Object.values(record.tokens).map((token) => token.accessToken)
  await revokeTokens(grant, {
    metadata: record.metadata,
    ...(refreshToken !== undefined && { refreshToken }),
    accessTokens: [...accessTokens, accessToken],
    replaced: listReplaced(record),
  })
  await deleteKey(record.keyId)
}

/** Tells whether a grant can produce an access token without another authorization. */
export async function hasUsableTokens(grantId: string): Promise<boolean> {
  const record = await store.get(grantId)
  if (!record) return false
  if (record.refreshToken !== undefined && !record.refreshSent) return true
  return Object.values(record.tokens).some((token) => isFresh(token, 0, Date.now()))
}

const listReplaced = ({ replaced = [] }: TokenRecord): string[] =>
  selectUnexpired(replaced, Date.now()).map(({ accessToken }) => accessToken)

/** @returns Whether the server has received the revocation. */
async function revokeAtServer(owner: TokenOwner, record: TokenRecord): Promise<boolean> {
  const accessTokens = Object.values(record.tokens).map(({ accessToken }) => accessToken)
  const replaced = listReplaced(record)
  const isServerInformed = await revokeTokens(owner, { ...record, accessTokens, replaced })
  await deleteKey(record.keyId)
  return isServerInformed
}

/** Deletes the records that this browser session cannot open, and ends the tokens of expired grants. */
export async function sweepTokens(expired: GrantRecord[]): Promise<void> {
  await store.sweep()
  await Promise.all(expired.map(endTokens))
}

/**
 * Finds the grants of access tokens, in a single read. A revocation notification of the network names an access
 * token, which may be one that another has replaced.
 *
 * @returns Grant ids by access token.
 */
export async function findGrantIdsByTokens(
  accessTokens: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const { grantId, tokens, replaced = [] } of await store.all()) {
    for (const { accessToken } of [...Object.values(tokens), ...replaced]) {
      if (accessTokens.has(accessToken)) found.set(accessToken, grantId)
    }
  }
  return found
}
