/**
 * Decides what follows from a failed refresh: what is kept of the tokens, and what comes next. `invalid_grant` alone
 * ends a refresh token (RFC 6749 section 5.2). The server has refused any other request that it answered with an
 * error, in whatever form: the refresh token is as good as before. Without such an answer it is unknown whether the
 * server consumed the refresh token, so it is not sent again. Pure.
 *
 * Border: `token-refresh.ts` does what is decided here.
 *
 * @see RFC 6749 section 5.2, RFC 9700 section 4.14
 */

import { isNorthkeyError, type NorthkeyErrorCode } from '../../../shared/core/index.ts'

export type RefreshFailure =
  /** The refresh token has ended, and so have the access tokens: it may have been stolen and used. */
  | 'ended'
  /** The server refused: the refresh token stays, and the grant is renewed in another way for now. */
  | 'refused'
  /** The server is not available for the moment: the refresh token stays, and a later call sends it again. */
  | 'unavailable'
  /** The answer is unusable: the refresh token is dropped, and the grant is renewed in another way. */
  | 'unusable'
  /** No answer: the refresh token is dropped. The server cannot be asked in another way now. */
  | 'unanswered'
  /** A failure of the broker itself. */
  | 'failed'

/** Errors before the request is sent: the refresh token has not left the broker. */
const UNSENT: readonly NorthkeyErrorCode[] = [
  'insecure_url',
  'invalid_metadata',
  'invalid_params',
  'issuer_mismatch',
  'key_mismatch',
  'unsupported_by_server',
]

export function judgeRefreshFailure(error: unknown): RefreshFailure {
  if (!isNorthkeyError(error)) return 'failed'
  const { code, error: word, httpStatus } = error
  if (word === 'invalid_grant') return 'ended'
  if (UNSENT.includes(code)) return 'refused'
  const isErrorResponse = word !== undefined || (httpStatus !== undefined && httpStatus >= 400)
  const isTransient = code === 'network_error' || code === 'rate_limited' || code === 'timeout'
  if (isErrorResponse) return isTransient ? 'unavailable' : 'refused'
  if (isTransient || code === 'aborted') return 'unanswered'
  return code === 'internal_error' ? 'failed' : 'unusable'
}
