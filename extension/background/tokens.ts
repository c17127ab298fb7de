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
import { type ApiAccess, ERROR_CODE } from '../../shared/messages/page-api.ts'
import { joinScopes, scopeWithin, scopeWords } from '../../shared/oauth/scope.ts'
import { clientKeyOf } from './clients.ts'
import { effects } from './effects.ts'
import { type GrantRecord, hasEnded } from './grants.ts'
import { deleteKey, keyOf } from './keys.ts'
import { log } from './log.ts'
import { findOperator } from './operators.ts'
import { noGrant, Refusal } from './refusal.ts'
import { remembered } from './remembered-store.ts'
import { revokeTokens, type TokenOwner } from './revocations.ts'
import { createSealedStore } from './sealed-store.ts'
import { sealingKey } from './sealing-key.ts'
import { type Authorized, authorizeSilently } from './silent.ts'
import { exceeds, isFresh, type StoredToken, slotOf, toStoredToken } from './stored-token.ts'
import { subjectHandle } from './subject.ts'

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

type Refreshable = TokenRecord & { refreshToken: string }

const store = remembered(createSealedStore<TokenRecord>('tokens', sealingKey))
const renewing = new Map<string, Promise<StoredToken>>()
const lastOf = new Map<string, Promise<unknown>>()

/** Opens the database, so that it is open when a call comes. */
export async function openTokens(): Promise<void> {
  await store.get('')
}

/** @throws Refusal `no_grant` where the grant ended meanwhile: what came late is not kept, but revoked. */
async function keep(grant: GrantRecord, record: TokenRecord): Promise<void> {
  if (!hasEnded(grant.grantId)) await store.set(grant.grantId, record)
  if (!hasEnded(grant.grantId)) return
  await store.delete(grant.grantId)
  await tellServer(grant, record)
  throw noGrant()
}

const scopeOf = (apis: ApiAccess[]) => joinScopes(...apis.map(({ scope }) => scope))

function recordOf(
  grantId: string,
  keyId: string,
  slot: string,
  { tokens, metadata }: Authorized,
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

/** The key that the tokens of a grant are bound to. Where it is lost they are worth nothing, and go. */
export async function dpopKeyOf(grant: GrantRecord): Promise<DpopKey | undefined> {
  const record = await store.get(grant.grantId)
  const key = record && (await keyOf(record.keyId))
  if (record && !key) await store.delete(grant.grantId)
  return key
}

/** A refresh token without the key that it is bound to buys nothing. */
async function hasKey({ tokenType }: GrantRecord, { keyId }: TokenRecord): Promise<boolean> {
  return tokenType !== 'DPoP' || (await keyOf(keyId)) !== undefined
}

/** Keeps what an authorization brought. Tokens of an earlier one give way. */
export async function keepTokens(
  grant: GrantRecord,
  keyId: string,
  slot: string,
  authorized: Authorized,
): Promise<void> {
  const earlier = await store.get(grant.grantId)
  await keep(grant, recordOf(grant.grantId, keyId, slot, authorized, grant.apis))
  if (earlier && earlier.keyId !== keyId) await deleteKey(earlier.keyId)
}

/** What an authorization brought is not wanted: the server may forget it. */
export async function discard(
  owner: TokenOwner,
  keyId: string,
  authorized: Authorized,
): Promise<void> {
  await tellServer(owner, recordOf('', keyId, '', authorized))
}

/**
 * Whether an authorization is about the subscriber that the grant is about: tokens end with the
 * browser, the grant does not. An operator that named nobody at first is not asked later.
 */
export async function isSameSubject(grant: GrantRecord, { tokens }: Authorized): Promise<boolean> {
  const { issuer, origin, grantId, subject } = grant
  if (tokens.subject === undefined) return true
  if ((await subjectHandle(issuer, tokens.subject, origin)) === subject) return true
  return (await subjectHandle(issuer, grantId, origin)) === subject
}

const refused = (error: unknown) => isNorthkeyError(error) && error.error === 'invalid_grant'

async function refresh(
  grant: GrantRecord,
  server: OperatorProfile,
  record: TokenRecord,
  refreshToken: string,
  api: ApiAccess,
  scope: string,
): Promise<StoredToken> {
  const { resource } = api
  if (!navigator.onLine) {
    throw new Refusal(ERROR_CODE.unreachable, 'network_error', 'this device is offline')
  }
  await keep(grant, { ...record, refreshSent: true })
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
    // Without an answer nobody knows whether the refresh token was consumed. The server's no ends all
    // that came of it: somebody else may have used it.
    const { refreshToken: _, ...rest } = record
    await keep(grant, refused(error) ? { ...rest, tokens: {} } : rest)
    throw error
  }
  const token = toStoredToken(set, Date.now())
  await keep(grant, {
    ...record,
    tokens: { ...record.tokens, [slotOf(api, scope)]: token },
    refreshToken: set.refreshToken ?? refreshToken,
  })
  return token
}

/** Whether a refresh token is there that was not sent yet and may bring this much. */
function refreshable(record: TokenRecord | undefined, scope: string): record is Refreshable {
  if (record?.refreshToken === undefined || record.refreshSent) return false
  return scopeWithin(scope, record.scope) === scopeWords(scope).join(' ')
}

/** Refresh first, then an authorization without a window. */
async function renew(grant: GrantRecord, api: ApiAccess, scope: string): Promise<StoredToken> {
  const server = await findOperator(grant.issuer)
  if (!server) throw noGrant()
  const record = await store.get(grant.grantId)
  if (refreshable(record, scope) && (await hasKey(grant, record))) {
    try {
      return await refresh(grant, server, record, record.refreshToken, api, scope)
    } catch (error) {
      if (!isNorthkeyError(error) || error.code !== 'authorization_server_error') throw error
    }
  }
  const keyId = crypto.randomUUID()
  const authorized = await authorizeSilently({
    server,
    origin: grant.origin,
    clientId: grant.clientId,
    apis: [{ ...api, scope }, ...grant.apis.filter((other) => other !== api)],
    keyId,
  }).catch(async (error) => {
    await deleteKey(keyId)
    throw error
  })
  if (!(await isSameSubject(grant, authorized))) {
    await discard(grant, keyId, authorized)
    throw new Refusal(
      ERROR_CODE.interactionRequired,
      'login_required',
      'another subscriber is signed in at the operator',
    )
  }
  await keepTokens(grant, keyId, slotOf(api, scope), authorized)
  return toStoredToken(authorized.tokens, Date.now())
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

export interface TokenWish {
  minValidityMs?: number
  /** No more of the API than this. Without it a token may serve other APIs of the grant as well. */
  scope?: string | undefined
}

/**
 * An access token of this grant for this resource.
 *
 * @throws Refusal or NorthkeyError `interaction_required` where only a window would help.
 */
export async function accessTokenOf(
  grant: GrantRecord,
  resource: string,
  wish: TokenWish = {},
): Promise<StoredToken> {
  const { minValidityMs = 0, scope } = wish
  const api = grant.apis.find((candidate) => candidate.resource === resource)
  if (!api) throw noGrant()
  const slot = slotOf(api, scope ?? api.scope)
  const key = `${grant.grantId} ${slot}`
  const running = renewing.get(key)
  if (running) return share(running, grant, resource, wish)
  const record = await store.get(grant.grantId)
  const cached = record?.tokens[slot]
  const fits = cached && (scope === undefined || !exceeds(cached.scope, scope, grant.apis))
  if (fits && isFresh(cached, minValidityMs, Date.now())) {
    if (!cached.singleUse) return cached
    // Two callers may have read the same one; it is the one's who takes it away.
    if (await dropAccessToken(grant.grantId, slot, cached.accessToken)) return cached
    return accessTokenOf(grant, resource, wish)
  }
  const begun = renewing.get(key)
  if (begun) return share(begun, grant, resource, wish)
  const renewal = serialize(grant.grantId, async () => {
    try {
      const token = await renew(grant, api, scope ?? api.scope)
      log.record('token', 'renewed', { ...grant, apis: [api] })
      if (token.singleUse) await forget(grant.grantId, slot, token.accessToken)
      return token
    } finally {
      // Before anyone hears of it: who waited for a token that serves one call begins a renewal anew.
      renewing.delete(key)
    }
  })
  renewing.set(key, renewal)
  return renewal
}

/** Waits for a renewal that runs; a token for one call is not shared. */
async function share(
  renewal: Promise<StoredToken>,
  grant: GrantRecord,
  resource: string,
  wish: TokenWish,
): Promise<StoredToken> {
  const token = await renewal
  return token.singleUse ? accessTokenOf(grant, resource, wish) : token
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
  return serialize(grantId, () => forget(grantId, slot, accessToken))
}

async function forget(grantId: string, slot: string, accessToken: string): Promise<boolean> {
  const record = await store.get(grantId)
  if (record?.tokens[slot]?.accessToken !== accessToken) return false
  const { [slot]: _, ...tokens } = record.tokens
  await store.set(grantId, { ...record, tokens })
  return true
}

/** How much of an API the page has asked for last: its proofs are for that token. */
export async function scopeInUse({ grantId }: GrantRecord, api: ApiAccess): Promise<string> {
  return (await store.get(grantId))?.given?.[api.resource] ?? api.scope
}

export function setScopeInUse(grantId: string, api: ApiAccess, scope: string): Promise<void> {
  return serialize(grantId, async () => {
    const record = await store.get(grantId)
    if (!record || (record.given?.[api.resource] ?? api.scope) === scope) return
    await store.set(grantId, { ...record, given: { ...record.given, [api.resource]: scope } })
  })
}

/** The claims that the server wants in proofs besides those of RFC 9449. */
export async function requiredProofClaims(grant: GrantRecord): Promise<string[] | undefined> {
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
  return record ? tellServer(grant, record) : true
}

/** Forgets tokens that others have taken the place of. */
export async function forgetTokens(grantId: string): Promise<void> {
  const record = await store.get(grantId)
  await store.delete(grantId)
  if (record) await deleteKey(record.keyId)
}

/** @returns Whether the server knows. */
async function tellServer(owner: TokenOwner, record: TokenRecord): Promise<boolean> {
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
export async function grantIdOfToken(accessToken: string): Promise<string | undefined> {
  const records = await store.all()
  return records.find(({ tokens }) =>
    Object.values(tokens).some((token) => token.accessToken === accessToken),
  )?.grantId
}
