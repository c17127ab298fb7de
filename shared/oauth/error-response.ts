/**
 * Judges a refusal. Two shapes of body exist side by side: the OAuth error of RFC 6749 section 5.2 and
 * the ProblemDetails of RFC 9457, which TS 29.122 clause 5.2.6 and TS 29.222 use; the media type says
 * which.
 */

import { NorthkeyError, type NorthkeyErrorCode, serverWord, withoutSecrets } from './error.ts'
import type { Answer } from './http.ts'
import { isJsonObject, type JsonObject, mediaType, parseJson, utf8 } from './json-response.ts'

export interface Refusal {
  error?: string | undefined
  errorDescription?: string | undefined
  retryAfterSeconds?: number | undefined
}

/** What a refusing server said, whatever its shape; nothing where the body cannot be read. */
export function readRefusal(answer: Answer, now: number): Refusal {
  const retryAfterSeconds = retryAfter(answer.headers.get('retry-after'), now)
  const type = mediaType(answer.headers.get('content-type') ?? '')
  if (type !== 'application/json' && type !== 'application/problem+json') {
    return { retryAfterSeconds }
  }
  const body = parseJson(utf8(answer.octets) ?? '')
  if (!isJsonObject(body)) return { retryAfterSeconds }
  const shape = serverWord(body.error) === undefined ? problemDetails(body) : oauthError(body)
  return { ...shape, retryAfterSeconds }
}

function oauthError(body: JsonObject): Refusal {
  return { error: text(body.error), errorDescription: text(body.error_description) }
}

/** `cause` is 3GPP's application error, `code` is CAMARA's; `title` and `detail` are RFC 9457's. */
function problemDetails(body: JsonObject): Refusal {
  return {
    error: serverWord(body.cause) ?? serverWord(body.code),
    errorDescription: text(body.detail) ?? text(body.message) ?? text(body.title),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/**
 * The error for a response that is not a success.
 * @param secrets What was sent and must not come back in the server's words.
 */
export function refusalError(
  answer: Answer,
  what: string,
  now: number,
  secrets: readonly (string | undefined)[] = [],
): NorthkeyError {
  const { status } = answer
  const refusal = readRefusal(answer, now)
  const code = refusalCode(status, refusal.error)
  return new NorthkeyError(code, `the ${what} answered with status ${status}`, {
    error: withoutSecrets(refusal.error, secrets),
    errorDescription: withoutSecrets(refusal.errorDescription, secrets),
    httpStatus: status,
    retryAfterSeconds: refusal.retryAfterSeconds,
  })
}

function refusalCode(status: number, error: string | undefined): NorthkeyErrorCode {
  if (status === 429) return 'rate_limited'
  if (status >= 500) return 'network_error'
  if (status < 400) return 'invalid_response'
  if (error === undefined) return 'invalid_response'
  return refusalCodeOf(error)
}

/** Words that ask for the user, wherever they are said. @see OIDC Core section 3.1.2.6 */
const NEEDS_USER: ReadonlySet<string> = new Set([
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
])

/** The code for a server's `error`. @see RFC 6749 sections 4.1.2.1 and 5.2 */
export function refusalCodeOf(error: string): NorthkeyErrorCode {
  if (error === 'access_denied') return 'access_denied'
  if (error === 'insufficient_user_authentication') return error
  return NEEDS_USER.has(error) ? 'interaction_required' : 'authorization_server_error'
}

const RETRY_AFTER_LIMIT_SECONDS = 24 * 60 * 60

/** `Retry-After` in seconds, either form, at most a day. @see RFC 9110 section 10.2.3 */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  const seconds = /^\d{1,10}$/.test(header.trim())
    ? Number(header)
    : Math.ceil((Date.parse(header) - now) / 1000)
  if (Number.isNaN(seconds)) return undefined
  return Math.min(Math.max(seconds, 0), RETRY_AFTER_LIMIT_SECONDS)
}
