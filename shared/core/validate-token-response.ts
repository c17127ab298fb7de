/**
 * Validates a token response. The tokens of a rejected response exist at the server: the caller gets them, so that it
 * revokes them. Some servers send the error response of RFC 6749 section 5.2 with status 200: it is an error
 * response all the same. @see RFC 7009
 */

import {
  type AccessTokenResponse,
  type ResponseExpectation,
  readIssuedTokens,
  TOKEN_ENDPOINT,
  validateAccessTokenResponse,
} from '../oauth/access-token-response.ts'
import { errorFromResponse } from '../oauth/error-response.ts'
import type { ServerResponse } from '../oauth/server-response.ts'
import type { TokenSet } from './flow.ts'

/** Gets the tokens of a rejected response, of which only their values and their binding are known. */
export type OnTokensRejected = (tokens: TokenSet) => void | Promise<void>

/**
 * @param secrets Values that were sent, and that are removed from the server's text.
 * @throws NorthkeyError of the validation, after the caller has got the tokens; the server's error for an error
 * response with a success status.
 */
export async function validateTokenResponse(
  response: ServerResponse,
  expected: ResponseExpectation,
  onTokensRejected: OnTokensRejected | undefined,
  secrets: readonly (string | undefined)[],
): Promise<AccessTokenResponse> {
  try {
    return validateAccessTokenResponse(response, expected)
  } catch (error) {
    const issued = readIssuedTokens(response)
    if (!issued) {
      const refusal = errorFromResponse(response, TOKEN_ENDPOINT, expected.now, secrets)
      throw refusal.error === undefined ? error : refusal
    }
    await onTokensRejected?.({
      ...issued,
      tokenType: 'Bearer',
      expiresAtMs: expected.now,
      scope: '',
      singleUse: true,
    })
    throw error
  }
}
