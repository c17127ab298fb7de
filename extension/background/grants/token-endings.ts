/**
 * Ends tokens: deletes them on this UE, and revokes them at the server, now or later. The grant has ended, another
 * grant replaces it, or a response must not be trusted.
 *
 * @see RFC 7009
 */

import type { TokenSet } from '../../../shared/core/index.ts'
import type { AuthorizationResult } from './authorization-result.ts'
import type { GrantRecord } from './grants.ts'
import { revokeTokens, type TokenOwner } from './revocations.ts'
import { type ReplacedToken, selectUnexpired } from './stored-token.ts'
import {
  createTokenRecord,
  deleteKeys,
  listAccessTokens,
  listKeyIds,
  listUnexpired,
  type TokenRecord,
  tokenStore,
} from './token-store.ts'

const listReplaced = ({ replaced = [] }: TokenRecord): string[] =>
  selectUnexpired(replaced, Date.now()).map(({ accessToken }) => accessToken)

/**
 * Revokes all tokens of a record, and deletes their keys.
 *
 * @returns Whether the server has received the revocation.
 */
export async function revokeAtServer(owner: TokenOwner, record: TokenRecord): Promise<boolean> {
  const accessTokens = listAccessTokens(record)
  const replaced = listReplaced(record)
  const isServerInformed = await revokeTokens(owner, { ...record, accessTokens, replaced })
  await deleteKeys(listKeyIds(record))
  return isServerInformed
}

/** Revokes the tokens of an authorization that no grant uses. */
export async function revokeUnused(
  owner: TokenOwner,
  keyId: string,
  authorized: AuthorizationResult,
): Promise<void> {
  await revokeAtServer(owner, createTokenRecord('', keyId, [''], authorized))
}

/**
 * Deletes the tokens of a grant that has ended, then revokes them at the server, now or later.
 *
 * @returns Whether the server has received the revocation.
 */
export async function endTokens(grant: GrantRecord): Promise<boolean> {
  const record = await tokenStore.get(grant.grantId)
  await tokenStore.delete(grant.grantId)
  return record ? revokeAtServer(grant, record) : true
}

/**
 * Deletes the tokens of a replaced grant without a revocation: a server that keeps one authorization for each
 * subscriber and client would end the new grant too.
 *
 * @returns The access tokens that are still to be revoked when the new grant ends.
 */
export async function deleteTokens(grantId: string): Promise<ReplacedToken[]> {
  const record = await tokenStore.get(grantId)
  await tokenStore.delete(grantId)
  if (!record) return []
  await deleteKeys(listKeyIds(record))
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
  await tokenStore.delete(grant.grantId)
  const accessTokens = listAccessTokens(record)
  await revokeTokens(grant, {
    metadata: record.metadata,
    ...(refreshToken !== undefined && { refreshToken }),
    accessTokens: [...accessTokens, accessToken],
    replaced: listReplaced(record),
  })
  await deleteKeys(listKeyIds(record))
}

/** Deletes the records that this browser session cannot open, and ends the tokens of expired grants. */
export async function sweepTokens(expired: GrantRecord[]): Promise<void> {
  await tokenStore.sweep()
  await Promise.all(expired.map(endTokens))
}
