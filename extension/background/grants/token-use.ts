/**
 * Decides for which calls an access token serves: for one call alone, if the operator profile says so in `tokenUse`,
 * and for which APIs.
 */

import { grantedApis, type TokenSet } from '../../../shared/core/index.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { findOperator } from '../operators/operators.ts'
import type { GrantRecord } from './grants.ts'

/** Marks tokens that serve one call. The token itself may say so too: it has no lifetime. */
export async function markTokenUse(
  { issuer }: Pick<GrantRecord, 'issuer'>,
  resource: string,
  tokens: TokenSet,
): Promise<TokenSet> {
  const operator = await findOperator(issuer)
  const api = operator?.apis.find((candidate) => candidate.resource === resource)
  return api?.tokenUse === 'single-use' ? { ...tokens, singleUse: true } : tokens
}

/**
 * Lists the slots of the token of an authorization: that of the API which needed it, and those of the other APIs which
 * it serves. With a refresh token, each API gets a token of its own, with no more scope than it needs. Without one
 * there is no such token, and another authorization would bring an equal one.
 */
export async function listServedSlots(
  { issuer, apis }: Pick<GrantRecord, 'issuer' | 'apis'>,
  slot: string,
  { resource, refreshToken, singleUse, scope }: TokenSet,
): Promise<string[]> {
  if (resource !== undefined || refreshToken !== undefined || singleUse) return [slot]
  const operator = await findOperator(issuer)
  const isServed = (api: ApiAccess) => {
    const offered = operator?.apis.find((candidate) => candidate.resource === api.resource)
    if (!operator || offered?.tokenUse === 'single-use') return false
    return api.scope === '' || grantedApis(operator, [api], scope)[0]?.scope === api.scope
  }
  return [...new Set([slot, ...apis.filter(isServed).map((api) => api.resource)])]
}
