/**
 * Reads error responses. The body has one of two formats: the OAuth error of RFC 6749 section 5.2, or the
 * ProblemDetails of RFC 9457, which TS 29.122 clause 5.2.6 and TS 29.222 use. A body with a valid `error`
 * member is an OAuth error.
 *
 * Border: nothing but an error comes of such a body, so its media type does not matter. Servers and proxies label the
 * JSON of an error as HTML or as text.
 */

import {
  NorthkeyError,
  type NorthkeyErrorCode,
  redactSecrets,
  sanitizeServerError,
} from './error.ts'
import { decodeUtf8, isJsonObject, type JsonObject, parseJson } from './json-response.ts'
import { retryAfter } from './retry-after.ts'
import type { ServerResponse } from './server-response.ts'

export interface ErrorResponse {
  error?: string | undefined
  errorDescription?: string | undefined
  retryAfterSeconds?: number | undefined
}

/** Reads an error response of either format. A body that cannot be read gives no `error`. */
export function readErrorResponse(response: ServerResponse, now: number): ErrorResponse {
  const retryAfterSeconds = retryAfter(response.headers.get('retry-after'), now)
  const body = parseJson(decodeUtf8(response.octets) ?? '')
  if (!isJsonObject(body)) return { retryAfterSeconds }
  const shape =
    sanitizeServerError(body.error) === undefined ? readProblemDetails(body) : readOAuthError(body)
  return { ...shape, retryAfterSeconds }
}

function readOAuthError(body: JsonObject): ErrorResponse {
  return { error: readString(body.error), errorDescription: readString(body.error_description) }
}

/** `cause` is the application error of 3GPP, `code` that of CAMARA; `title` and `detail` are of RFC 9457. */
function readProblemDetails(body: JsonObject): ErrorResponse {
  return {
    error: sanitizeServerError(body.cause) ?? sanitizeServerError(body.code),
    errorDescription: readString(body.detail) ?? readString(body.message) ?? readString(body.title),
  }
}

function readString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/**
 * Makes the error for a response without a success status.
 * @param secrets Values that were sent, and that are removed from the server's text.
 */
export function errorFromResponse(
  response: ServerResponse,
  endpoint: string,
  now: number,
  secrets: readonly (string | undefined)[] = [],
): NorthkeyError {
  const { status } = response
  const errorResponse = readErrorResponse(response, now)
  const code = codeOfResponse(status, errorResponse.error)
  return new NorthkeyError(code, `the ${endpoint} answered with status ${status}`, {
    error: redactSecrets(errorResponse.error, secrets),
    errorDescription: redactSecrets(errorResponse.errorDescription, secrets),
    httpStatus: status,
    retryAfterSeconds: errorResponse.retryAfterSeconds,
  })
}

function codeOfResponse(status: number, error: string | undefined): NorthkeyErrorCode {
  if (status === 429) return 'rate_limited'
  if (status === 408 || status >= 500) return 'network_error'
  if (error === undefined) return 'invalid_response'
  return codeOfServerError(error)
}

/** Errors that require interaction with the user, at any endpoint. @see OIDC Core section 3.1.2.6 */
const NEEDS_USER: ReadonlySet<string> = new Set([
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
])

/** Maps a server's `error` to a code. @see RFC 6749 sections 4.1.2.1 and 5.2 */
export function codeOfServerError(error: string): NorthkeyErrorCode {
  if (error === 'access_denied') return 'access_denied'
  if (error === 'insufficient_user_authentication') return error
  return NEEDS_USER.has(error) ? 'interaction_required' : 'authorization_server_error'
}
