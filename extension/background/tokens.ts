/**
 * Tokens of the grants: sealed, one record a grant. Whoever asks for the same grant waits for the same
 * renewal; a rotated refresh token is on the disk before anyone gets the access token that came with
 * it; and a refresh token that may have reached the server is never sent again.
 *
 * @see RFC 6749 section 6, RFC 9700 section 4.14
 */

import {
  type DpopKey,
  type IdTokenClaims,
  isNorthkeyError,
  refreshTokens,
  type ServerMetadata,
  type TokenSet,
} from '../../shared/core/index.ts'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { clientKeyOf } from './clients.ts'
import { effects } from './effects.ts'
import type { GrantRecord } from './grants.ts'
import { deleteKey, keyOf } from './keys.ts'
import { log } from './log.ts'
import { findOperator } from './operators.ts'
import { noGrant, Refusal } from './refusal.ts'
import { remembered } from './remembered-store.ts'
import { revokeTokens } from './revocations.ts'
import { createSealedStore } from './sealed-store.ts'
import { sealingKey } from './sealing-key.ts'
import { type Authorized, authorizeSilently } from './silent.ts'

export interface StoredToken {
  accessToken: string
  tokenType: 'Bearer' | 'DPoP'
  expiresAtMs: number
  scope: string
  /** Serves one call. */
  singleUse: boolean
}

export interface TokenRecord {
  grantId: string
  metadata: ServerMetadata
  /** By resource. */
  tokens: Record<string, StoredToken>
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

const EXPIRY_MARGIN_MS = 30_000
const store = remembered(createSealedStore<TokenRecord>('tokens', sealingKey))
const renewing = new Map<string, Promise<StoredToken>>()
const lastOf = new Map<string, Promise<unknown>>()
/** Grants that ended while the worker lives: a late answer must not bring their tokens back. */
const ended = new Set<string>()

/** Opens the database, so that it is open when a call comes. */
export async function openTokens(): Promise<void> {
  await store.get('')
}

function toStoredToken(set: TokenSet): StoredToken {
  const { accessToken, tokenType, expiresAtMs, scope, singleUse } = set
  return { accessToken, tokenType, expiresAtMs, scope, singleUse }
}

function isFresh(token: StoredToken, minValidityMs: number): boolean {
  if (token.singleUse) return token.expiresAtMs > Date.now()
  return token.expiresAtMs - Math.max(minValidityMs, EXPIRY_MARGIN_MS) > Date.now()
}

/** The key that the tokens of a grant are bound to. */
export async function dpopKeyOf(grant: GrantRecord): Promise<DpopKey | undefined> {
  const record = await store.get(grant.grantId)
  return record && keyOf(record.keyId)
}

/** Keeps what an authorization brought. Tokens of an earlier one give way. */
export async function keepTokens(
  grantId: string,
  keyId: string,
  resource: string,
  { tokens, metadata }: Authorized,
): Promise<void> {
  const earlier = await store.get(grantId)
  if (earlier && earlier.keyId !== keyId) await deleteKey(earlier.keyId)
  await store.set(grantId, {
    grantId,
    metadata,
    keyId,
    tokens: { [resource]: toStoredToken(tokens) },
    scope: tokens.scope,
    ...(tokens.refreshToken !== undefined && { refreshToken: tokens.refreshToken }),
    ...(tokens.idTokenClaims && { idTokenClaims: tokens.idTokenClaims }),
  })
}

/** Whether an authorization is about the subscriber that the grant is about. */
export async function isSameSubject(grantId: string, { tokens }: Authorized): Promise<boolean> {
  const before = (await store.get(grantId))?.idTokenClaims?.sub
  return before === undefined || tokens.subject === undefined || before === tokens.subject
}

async function refresh(
  grant: GrantRecord,
  server: OperatorProfile,
  record: TokenRecord,
  refreshToken: string,
  resource: string,
  scope: string,
): Promise<StoredToken> {
  if (!navigator.onLine) {
    throw new Refusal(ERROR_CODE.unreachable, 'network_error', 'this device is offline')
  }
  await store.set(grant.grantId, { ...record, refreshSent: true })
  let set: TokenSet
  try {
    set = await refreshTokens(
      {
        server,
        metadata: record.metadata,
        clientId: grant.clientId,
        refreshToken,
        grantedScope: record.scope,
        resource,
        scope,
        idTokenClaims: record.idTokenClaims,
        dpop: await keyOf(record.keyId),
        clientKey: await clientKeyOf(server, grant.origin),
      },
      effects(),
    )
  } catch (error) {
    // The server's no ends the refresh token; without an answer nobody knows whether it was consumed.
    const { refreshToken: _, ...rest } = record
    await store.set(grant.grantId, rest)
    throw error
  }
  const token = toStoredToken(set)
  await store.set(grant.grantId, {
    ...record,
    tokens: { ...record.tokens, [resource]: token },
    refreshToken: set.refreshToken ?? refreshToken,
  })
  if (ended.has(grant.grantId)) {
    await endTokens(grant)
    throw noGrant()
  }
  return token
}

/** Refresh first, then an authorization without a window. */
async function renew(grant: GrantRecord, resource: string): Promise<StoredToken> {
  const api = grant.apis.find((candidate) => candidate.resource === resource)
  const server = await findOperator(grant.issuer)
  if (!api || !server) throw noGrant()
  const record = await store.get(grant.grantId)
  if (record?.refreshToken && !record.refreshSent) {
    try {
      return await refresh(grant, server, record, record.refreshToken, resource, api.scope)
    } catch (error) {
      if (!isNorthkeyError(error) || error.code !== 'authorization_server_error') throw error
    }
  }
  const keyId = crypto.randomUUID()
  const authorized = await authorizeSilently({
    server,
    origin: grant.origin,
    clientId: grant.clientId,
    apis: [api, ...grant.apis.filter((other) => other !== api)],
    keyId,
  })
  if (!(await isSameSubject(grant.grantId, authorized))) {
    throw new Refusal(
      ERROR_CODE.interactionRequired,
      'login_required',
      'another subscriber is signed in at the operator',
    )
  }
  await keepTokens(grant.grantId, keyId, resource, authorized)
  if (ended.has(grant.grantId)) {
    await endTokens(grant)
    throw noGrant()
  }
  return toStoredToken(authorized.tokens)
}

/** Renewals of one grant run one after the other. */
function serialize<T>(grantId: string, task: () => Promise<T>): Promise<T> {
  const next = (lastOf.get(grantId) ?? Promise.resolve()).then(task, task)
  lastOf.set(grantId, next)
  void next
    .catch(() => {})
    .then(() => {
      if (lastOf.get(grantId) === next) lastOf.delete(grantId)
    })
  return next
}

/**
 * An access token of this grant for this resource.
 *
 * @throws Refusal or NorthkeyError `interaction_required` where only a window would help.
 */
export async function accessTokenOf(
  grant: GrantRecord,
  resource: string,
  minValidityMs = 0,
): Promise<StoredToken> {
  const key = `${grant.grantId} ${resource}`
  const running = renewing.get(key)
  if (running) return share(running, grant, resource, minValidityMs)
  const record = await store.get(grant.grantId)
  const cached = record?.tokens[resource]
  if (record && cached && isFresh(cached, minValidityMs)) {
    if (!cached.singleUse) return cached
    // Two callers may have read the same one; it is the one's who takes it away.
    if (await dropAccessToken(grant.grantId, resource, cached.accessToken)) return cached
    return accessTokenOf(grant, resource, minValidityMs)
  }
  const begun = renewing.get(key)
  if (begun) return share(begun, grant, resource, minValidityMs)
  const renewal = serialize(grant.grantId, () => renew(grant, resource))
  renewing.set(key, renewal)
  try {
    const token = await renewal
    log.record('token', 'renewed', {
      ...grant,
      apis: grant.apis.filter((api) => api.resource === resource),
    })
    if (token.singleUse) await dropAccessToken(grant.grantId, resource, token.accessToken)
    return token
  } finally {
    renewing.delete(key)
  }
}

/** Waits for a renewal that runs; a token for one call is not shared. */
async function share(
  renewal: Promise<StoredToken>,
  grant: GrantRecord,
  resource: string,
  minValidityMs: number,
): Promise<StoredToken> {
  const token = await renewal
  return token.singleUse ? accessTokenOf(grant, resource, minValidityMs) : token
}

/**
 * Forgets one access token, as after a 401. One that has come in its place since stays, and it is this
 * grant's turn: a renewal must not lose what it stores in between.
 *
 * @returns Whether it was still there.
 */
export function dropAccessToken(
  grantId: string,
  resource: string,
  accessToken: string,
): Promise<boolean> {
  return serialize(grantId, async () => {
    const record = await store.get(grantId)
    if (record?.tokens[resource]?.accessToken !== accessToken) return false
    const { [resource]: _, ...tokens } = record.tokens
    await store.set(grantId, { ...record, tokens })
    return true
  })
}

/** The claims that the server wants in proofs besides those of RFC 9449. */
export async function requiredProofClaims(grant: GrantRecord): Promise<string[] | undefined> {
  return (await store.get(grant.grantId))?.metadata.camara_dpop_claims_required
}

/**
 * Forgets the tokens of a grant at once, then tells the server, now or later.
 *
 * @returns Whether the server knows.
 * @see RFC 7009
 */
export async function endTokens(grant: GrantRecord): Promise<boolean> {
  ended.add(grant.grantId)
  const record = await store.get(grant.grantId)
  await store.delete(grant.grantId)
  if (!record) return true
  const accessTokens = Object.values(record.tokens).map(({ accessToken }) => accessToken)
  const told = await revokeTokens(grant, { ...record, accessTokens })
  await deleteKey(record.keyId)
  return told
}

/** Removes what this browser session cannot open, and the tokens of grants that are over. */
export async function sweepTokens(over: GrantRecord[]): Promise<void> {
  await store.sweep()
  for (const grant of over) await endTokens(grant)
}

/** Finds the grant to which an access token belongs, as a network names it when it revokes. */
export async function grantIdOfToken(accessToken: string): Promise<string | undefined> {
  const records = await store.all()
  return records.find(({ tokens }) =>
    Object.values(tokens).some((token) => token.accessToken === accessToken),
  )?.grantId
}
