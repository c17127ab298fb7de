/** Applies `tokenUse` of an operator profile: an API may accept each access token for one call alone. */

import type { TokenSet } from '../../../shared/core/index.ts'
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
