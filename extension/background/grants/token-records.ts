/**
 * The records of tokens: sealed, one a grant. They are read and written here alone, and end here.
 *
 * @see RFC 6749 section 6, RFC 7009
 */

import type { DpopKey, IdTokenClaims, ServerMetadata } from '../../../shared/core/index.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { joinScopes } from '../../../shared/oauth/scope.ts'
import { deleteKey, getKey } from '../clients/keys.ts'
import { noGrant } from '../platform/broker-error.ts'
import { withCache } from '../platform/cached-store.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'
import { createKeyedSerialQueue } from '../platform/serial-queue.ts'
import type { AuthorizationResult } from './authorization-result.ts'
import { type GrantRecord, hasGrantEnded } from './grants.ts'
import { revokeTokens, type TokenOwner } from './revocations.ts'
import { type StoredToken, toStoredToken } from './stored-token.ts'

export interface TokenRecord {
  grantId: string
  metadata: ServerMetadata
  /** By resource, and by scope too where it is less than what was granted. */
  tokens: Record<string, StoredToken>
  /** How much of a resource the page asked for last, where that was less. */
  given?: Record<string, string>
  /** What was granted, all resources together. */
  scope: string
  /** Names the key that the tokens are bound to. */
  keyId: string
  refreshToken?: string
  /** Of the first ID token: a later one must be about the same subject. */
  idTokenClaims?: IdTokenClaims
  /** Set before a refresh token is sent, gone once its answer is stored. */
  refreshSent?: true
}

const store = withCache(openSealedStore<TokenRecord>('tokens'))

/** Opens the database, so that it is open when a call comes. */
export async function openTokens(): Promise<void> {
  await store.get('')
}

export function readTokens(grantId: string): Promise<TokenRecord | undefined> {
  return store.get(grantId)
}

/** @throws BrokerError `no_grant` where the grant ended meanwhile: what came late is not kept, but revoked. */
export async function saveRecord(grant: GrantRecord, record: TokenRecord): Promise<void> {
  if (!hasGrantEnded(grant.grantId)) await store.set(grant.grantId, record)
  if (!hasGrantEnded(grant.grantId)) return
  await store.delete(grant.grantId)
  await revokeAtServer(grant, record)
  throw noGrant()
}

const scopeOf = (apis: ApiAccess[]) => joinScopes(...apis.map(({ scope }) => scope))

function recordOf(
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
    scope: tokens.resource === undefined ? tokens.scope : scopeOf(apis),
    ...(tokens.refreshToken !== undefined && { refreshToken: tokens.refreshToken }),
    ...(tokens.idTokenClaims && { idTokenClaims: tokens.idTokenClaims }),
  }
}

/** What reads and then writes the record of one grant takes its turn. */
export const runInGrantQueue = createKeyedSerialQueue()

/** The key that the tokens of a grant are bound to. Where it is lost they are worth nothing, and go. */
export async function getDpopKey(grant: GrantRecord): Promise<DpopKey | undefined> {
  const record = await store.get(grant.grantId)
  const key = record && (await getKey(record.keyId))
  if (record && !key) await store.delete(grant.grantId)
  return key
}

/** Keeps what an authorization brought. Tokens of an earlier one give way. */
export async function saveTokens(
  grant: GrantRecord,
  keyId: string,
  slot: string,
  authorized: AuthorizationResult,
): Promise<void> {
  const earlier = await store.get(grant.grantId)
  await saveRecord(grant, recordOf(grant.grantId, keyId, slot, authorized, grant.apis))
  if (earlier && earlier.keyId !== keyId) await deleteKey(earlier.keyId)
}

/** What an authorization brought is not wanted: the server may forget it. */
export async function revokeUnused(
  owner: TokenOwner,
  keyId: string,
  authorized: AuthorizationResult,
): Promise<void> {
  await revokeAtServer(owner, recordOf('', keyId, '', authorized))
}

/**
 * Forgets one access token, as after a 401. One that has come in its place since stays, and it is this
 * grant's turn: a renewal must not lose what it stores in between.
 *
 * @returns Whether it was still there.
 */
export function dropAccessToken(
  grantId: string,
  slot: string,
  accessToken: string,
): Promise<boolean> {
  return runInGrantQueue(grantId, () => removeAccessToken(grantId, slot, accessToken))
}

export async function removeAccessToken(
  grantId: string,
  slot: string,
  accessToken: string,
): Promise<boolean> {
  const record = await store.get(grantId)
  if (record?.tokens[slot]?.accessToken !== accessToken) return false
  const { [slot]: _, ...tokens } = record.tokens
  await store.set(grantId, { ...record, tokens })
  return true
}

/** How much of an API the page has asked for last: its proofs are for that token. */
export async function getScopeInUse({ grantId }: GrantRecord, api: ApiAccess): Promise<string> {
  return (await store.get(grantId))?.given?.[api.resource] ?? api.scope
}

/** What was asked for last, by grant and resource, while it may still be on its way to the record. */
const askedFor = new Map<string, string>()

export async function setScopeInUse(
  grant: GrantRecord,
  api: ApiAccess,
  scope: string,
): Promise<void> {
  const { grantId } = grant
  const { resource } = api
  const key = `${grantId} ${resource}`
  askedFor.set(key, scope)
  // Most calls ask for what the one before has asked for: they do not take a turn.
  if ((await getScopeInUse(grant, api)) === scope) return
  await runInGrantQueue(grantId, async () => {
    for (;;) {
      const record = await store.get(grantId)
      const last = askedFor.get(key) ?? scope
      if (!record || (record.given?.[resource] ?? api.scope) === last) return
      await store.set(grantId, { ...record, given: { ...record.given, [resource]: last } })
    }
  })
}

/** The claims that the server wants in proofs besides those of RFC 9449. */
export async function getRequiredProofClaims(grant: GrantRecord): Promise<string[] | undefined> {
  return (await store.get(grant.grantId))?.metadata.camara_dpop_claims_required
}

/**
 * Forgets the tokens of a grant that has ended, then tells the server, now or later.
 *
 * @returns Whether the server knows.
 */
export async function endTokens(grant: GrantRecord): Promise<boolean> {
  const record = await store.get(grant.grantId)
  await store.delete(grant.grantId)
  return record ? revokeAtServer(grant, record) : true
}

/** Forgets tokens that others have taken the place of. */
export async function deleteTokens(grantId: string): Promise<void> {
  const record = await store.get(grantId)
  await store.delete(grantId)
  if (record) await deleteKey(record.keyId)
}

/** @returns Whether the server knows. */
async function revokeAtServer(owner: TokenOwner, record: TokenRecord): Promise<boolean> {
  const accessTokens = Object.values(record.tokens).map(({ accessToken }) => accessToken)
  const told = await revokeTokens(owner, { ...record, accessTokens })
  await deleteKey(record.keyId)
  return told
}

/** Removes what this browser session cannot open, and the tokens of grants that are over. */
export async function sweepTokens(over: GrantRecord[]): Promise<void> {
  await store.sweep()
  for (const grant of over) await endTokens(grant)
}

/** Finds the grant to which an access token belongs, as a network names it when it revokes. */
export async function findGrantIdByToken(accessToken: string): Promise<string | undefined> {
  const records = await store.all()
  return records.find(({ tokens }) =>
    Object.values(tokens).some((token) => token.accessToken === accessToken),
  )?.grantId
}
