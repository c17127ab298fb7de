/**
 * Tokens of the grants: sealed, one record a grant. Whoever asks for the same grant waits for the same
 * refresh; a rotated refresh token is on the disk before anyone gets the access token that came with
 * it; and a refresh token that may have reached the server is never sent again.
 *
 * @see RFC 6749 section 6, RFC 9700 section 4.14
 */

import {
  type IdTokenClaims,
  refreshTokens,
  revokeToken,
  type ServerMetadata,
  type TokenSet,
} from '../../shared/core/index.ts'
import { effects } from './effects.ts'
import type { GrantRecord } from './grants.ts'
import { findOperator } from './operators.ts'
import { interactionRequired, noGrant } from './refusal.ts'
import { createSealedStore } from './sealed-store.ts'
import { sealingKey } from './sealing-key.ts'

export interface StoredToken {
  accessToken: string
  tokenType: 'Bearer' | 'DPoP'
  expiresAtMs: number
  scope: string
}

export interface TokenRecord {
  grantId: string
  metadata: ServerMetadata
  /** By resource. */
  tokens: Record<string, StoredToken>
  /** What was granted, all resources together. */
  scope: string
  refreshToken?: string
  /** Of the first ID token: a later one must be about the same subject. */
  idTokenClaims?: IdTokenClaims
  /** Set before a refresh token is sent, gone once its answer is stored. */
  refreshSent?: true
}

const EXPIRY_MARGIN_MS = 30_000
const store = createSealedStore<TokenRecord>('tokens', sealingKey)
const refreshing = new Map<string, Promise<StoredToken>>()

export const tokenStore = store

export function toStoredToken(set: TokenSet): StoredToken {
  const { accessToken, tokenType, expiresAtMs, scope } = set
  return { accessToken, tokenType, expiresAtMs, scope }
}

function isFresh(token: StoredToken, minValidityMs: number): boolean {
  return token.expiresAtMs - Math.max(minValidityMs, EXPIRY_MARGIN_MS) > Date.now()
}

async function refresh(grant: GrantRecord, resource: string, scope: string): Promise<StoredToken> {
  const record = await store.get(grant.grantId)
  const server = await findOperator(grant.issuer)
  if (!record?.refreshToken || record.refreshSent || !server) {
    throw interactionRequired('the authorization has to be renewed')
  }
  const { metadata, refreshToken } = record
  await store.set(grant.grantId, { ...record, refreshSent: true })
  try {
    const set = await refreshTokens(
      {
        server,
        metadata,
        clientId: grant.clientId,
        refreshToken,
        grantedScope: record.scope,
        resource,
        scope,
        idTokenClaims: record.idTokenClaims,
      },
      effects(),
    )
    const token = toStoredToken(set)
    const { refreshSent: _, ...current } = record
    await store.set(grant.grantId, {
      ...current,
      tokens: { ...current.tokens, [resource]: token },
      refreshToken: set.refreshToken ?? refreshToken,
    })
    return token
  } catch (error) {
    // The server's no ends the tokens; without an answer nobody knows whether it was consumed.
    const { refreshToken: _, refreshSent: __, ...rest } = record
    await store.set(grant.grantId, rest)
    throw error
  }
}

/**
 * An access token of this grant for this resource.
 *
 * @throws Refusal `interaction_required` where only a new authorization would help.
 */
export async function accessTokenOf(
  grant: GrantRecord,
  resource: string,
  minValidityMs = 0,
): Promise<StoredToken> {
  const api = grant.apis.find((candidate) => candidate.resource === resource)
  if (!api) throw noGrant()
  const key = `${grant.grantId} ${resource}`
  const running = refreshing.get(key)
  if (running) return running
  const cached = (await store.get(grant.grantId))?.tokens[resource]
  if (cached && isFresh(cached, minValidityMs)) return cached
  const shared =
    refreshing.get(key) ?? serialize(grant.grantId, () => refresh(grant, resource, api.scope))
  refreshing.set(key, shared)
  try {
    return await shared
  } finally {
    if (refreshing.get(key) === shared) refreshing.delete(key)
  }
}

const lastOf = new Map<string, Promise<unknown>>()

/** One refresh token, one request at a time. */
function serialize<T>(grantId: string, task: () => Promise<T>): Promise<T> {
  const next = (lastOf.get(grantId) ?? Promise.resolve()).then(task, task)
  lastOf.set(grantId, next)
  return next.finally(() => {
    if (lastOf.get(grantId) === next) lastOf.delete(grantId)
  })
}

/** Forgets one access token, as after a 401. */
export async function dropAccessToken(grantId: string, resource: string): Promise<void> {
  const record = await store.get(grantId)
  if (!record) return
  const { [resource]: _, ...tokens } = record.tokens
  await store.set(grantId, { ...record, tokens })
}

/**
 * Forgets the tokens of a grant at once, then tells the server.
 *
 * @returns Whether the server knows.
 * @see RFC 7009
 */
export async function revokeTokens(grant: GrantRecord): Promise<boolean> {
  const record = await store.get(grant.grantId)
  await store.delete(grant.grantId)
  const server = await findOperator(grant.issuer)
  if (!record || !server) return true
  const { metadata } = record
  const client = { server, metadata, clientId: grant.clientId }
  const held = record.refreshToken
    ? [{ token: record.refreshToken, tokenTypeHint: 'refresh_token' as const }]
    : Object.values(record.tokens).map(({ accessToken }) => ({
        token: accessToken,
        tokenTypeHint: 'access_token' as const,
      }))
  const told = await Promise.allSettled(
    held.map(({ token, tokenTypeHint }) =>
      revokeToken({ ...client, token, tokenTypeHint }, effects()),
    ),
  )
  return told.every(({ status }) => status === 'fulfilled')
}
