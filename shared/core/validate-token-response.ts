/**
 * Validates a token response. The tokens of a rejected response exist at the server: the caller gets them, so that it
 * revokes them. @see RFC 7009
 */

import {
  type AccessTokenResponse,
  type ResponseExpectation,
  readIssuedTokens,
  validateAccessTokenResponse,
} from '../oauth/access-token-response.ts'
import type { ServerResponse } from '../oauth/server-response.ts'
import type { TokenSet } from './flow.ts'

/** Gets the tokens of a rejected response, of which only their values and their binding are known. */
export type OnTokensRejected = (tokens: TokenSet) => void | Promise<void>

/** @throws NorthkeyError of the validation, after the caller has got the tokens. */
export async function validateTokenResponse(
  response: ServerResponse,
  expected: ResponseExpectation,
  onTokensRejected: OnTokensRejected | undefined,
): Promise<AccessTokenResponse> {
  try {
    return validateAccessTokenResponse(response, expected)
  } catch (error) {
    const issued = readIssuedTokens(response)
    if (issued) {
      await onTokensRejected?.({
        ...issued,
        tokenType: 'Bearer',
        expiresAtMs: expected.now,
        scope: '',
        singleUse: true,
      })
    }
    throw error
  }
}
