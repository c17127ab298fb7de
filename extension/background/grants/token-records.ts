/**
 * Reads and writes the tokens of a grant: those of its authorization, of each refresh, and the end of a single
 * access token.
 *
 * Border: `token-store.ts` has the records, `token-endings.ts` ends the tokens of a grant. Requests for tokens are
 * in `tokens/`.
 *
 * @see RFC 6749 section 6
 */

import type { DpopKey } from '../../../shared/core/index.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { getKey } from '../clients/keys.ts'
import { grantEnded } from '../platform/broker-error.ts'
import type { AuthorizationResult } from './authorization-result.ts'
import { hasGrantEnded } from './ended-grants.ts'
import type { GrantRecord } from './grants.ts'
import { boundReplaced, isFresh, type ReplacedToken, supersede } from './stored-token.ts'
import { revokeAtServer } from './token-endings.ts'
import {
  createTokenRecord,
  deleteKeys,
  listKeyIds,
  listUnexpired,
  runInGrantQueue,
  type TokenRecord,
  tokenStore,
} from './token-store.ts'
import { listServedSlots } from './token-use.ts'

/** Opens the database before the first call needs it. */
export async function openTokens(): Promise<void> {
  await tokenStore.get('')
}

export function readTokens(grantId: string): Promise<TokenRecord | undefined> {
  return tokenStore.get(grantId)
}

type TokensListener = (grant: GrantRecord, accessTokens: string[]) => void
const tokensListeners = new Set<TokensListener>()

/** @param listener Called each time that tokens of a grant have been stored, with those that have not expired. */
export function onTokensStored(listener: TokensListener): void {
  tokensListeners.add(listener)
}

/**
 * Stores a record, and deletes the keys that the former record named and this one does not. Tokens that arrive after
 * the end of their grant are not stored but revoked.
 *
 * @throws BrokerError `no_grant` when the grant has ended in the meantime.
 */
export async function saveRecord(grant: GrantRecord, record: TokenRecord): Promise<void> {
  const former = await tokenStore.get(grant.grantId)
  if (!hasGrantEnded(grant.grantId)) {
    await tokenStore.set(grant.grantId, record)
    const accessTokens = listUnexpired(record).map(({ accessToken }) => accessToken)
    for (const listener of tokensListeners) listener(grant, accessTokens)
    const kept = listKeyIds(record)
    if (former) await deleteKeys(listKeyIds(former).filter((keyId) => !kept.includes(keyId)))
  }
  if (!hasGrantEnded(grant.grantId)) return
  await tokenStore.delete(grant.grantId)
  await revokeAtServer(grant, record)
  throw grantEnded()
}

/**
 * Stores a changed record. The tokens of a grant that has ended in the meantime are deleted, and revoked by
 * what ended the grant.
 */
async function updateRecord(record: TokenRecord): Promise<void> {
  const { grantId } = record
  if (!hasGrantEnded(grantId)) await tokenStore.set(grantId, record)
  if (hasGrantEnded(grantId)) await tokenStore.delete(grantId)
}

/** Deletes a record whose key is gone, unless a renewal has stored tokens for another key in the meantime. */
async function deleteWithoutKey({ grantId, keyId }: TokenRecord): Promise<void> {
  await runInGrantQueue(grantId, async () => {
    if ((await tokenStore.get(grantId))?.keyId === keyId) await tokenStore.delete(grantId)
  })
}

/**
 * Returns the key that an access token of a grant is bound to. Without the key of the last authorization its tokens
 * are useless: they are deleted.
 */
export async function getDpopKey(
  grant: GrantRecord,
  accessToken: string,
): Promise<DpopKey | undefined> {
  const record = await tokenStore.get(grant.grantId)
  if (!record) return undefined
  const superseded = record.superseded?.find((token) => token.accessToken === accessToken)
  if (superseded) return getKey(superseded.keyId)
  const key = await getKey(record.keyId)
  if (!key) await deleteWithoutKey(record)
  return key
}

function withReplaced(record: TokenRecord, replaced: ReplacedToken[]): TokenRecord {
  if (replaced.length === 0) return record
  const bounded = replaced.map((token) => boundReplaced(token, Date.now()))
  return { ...record, replaced: [...(record.replaced ?? []), ...bounded] }
}

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
  const earlier = await tokenStore.get(grant.grantId)
  const slots = await listServedSlots(grant, slot, authorized.tokens)
  const record = createTokenRecord(grant.grantId, keyId, slots, authorized, grant.apis)
  const former = earlier ? listUnexpired(earlier) : []
  const held = earlier && {
    superseded: supersede(earlier, Object.values(earlier.tokens), Date.now()),
    ...(earlier.given && { given: earlier.given }),
  }
  await saveRecord(grant, withReplaced({ ...record, ...held }, [...replaced, ...former]))
}

/** Has a grant revoke, when it ends, the tokens of a grant that it has replaced. */
export async function addReplaced(grantId: string, replaced: ReplacedToken[]): Promise<void> {
  if (replaced.length === 0) return
  await runInGrantQueue(grantId, async () => {
    const record = await tokenStore.get(grantId)
    if (record) await updateRecord(withReplaced(record, replaced))
  })
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
  const record = await tokenStore.get(grantId)
  if (record?.tokens[slot]?.accessToken !== accessToken) return false
  const { [slot]: _, ...tokens } = record.tokens
  await updateRecord({ ...record, tokens })
  return true
}

/**
 * Changes the record of a grant in its queue.
 *
 * @param change Returns the changed record, or `undefined` to leave it as it is.
 * @returns Whether it was changed.
 */
export function changeRecord(
  grantId: string,
  change: (record: TokenRecord) => TokenRecord | undefined,
): Promise<boolean> {
  return runInGrantQueue(grantId, async () => {
    const record = await tokenStore.get(grantId)
    const changed = record && change(record)
    if (changed) await updateRecord(changed)
    return changed !== undefined
  })
}

/** Returns the claims that the server requires in proofs in addition to those of RFC 9449. */
export async function getRequiredProofClaims(grant: GrantRecord): Promise<string[] | undefined> {
  return (await tokenStore.get(grant.grantId))?.metadata.camara_dpop_claims_required
}

/**
 * Lists the APIs of a grant for which the server has not given a token yet, if its tokens are for one resource each
 * and a refresh token requests them (RFC 8707 section 2.2).
 */
export async function listUnprobedApis({ grantId, apis }: GrantRecord): Promise<ApiAccess[]> {
  const record = await tokenStore.get(grantId)
  if (!record?.isResourceBound || record.refreshToken === undefined) return []
  return apis.filter(({ resource }) => record.tokens[resource] === undefined)
}

/** Tells whether a grant can produce an access token without another authorization. */
export async function hasUsableTokens(grantId: string): Promise<boolean> {
  const record = await tokenStore.get(grantId)
  if (!record) return false
  if (record.refreshToken !== undefined && !record.refreshSent) return true
  return Object.values(record.tokens).some((token) => isFresh(token, 0, Date.now()))
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
  for (const { grantId, tokens, replaced = [] } of await tokenStore.all()) {
    for (const { accessToken } of [...Object.values(tokens), ...replaced]) {
      if (accessTokens.has(accessToken)) found.set(accessToken, grantId)
    }
  }
  return found
}
