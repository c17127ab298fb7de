/**
 * Validates a successful response of the token endpoint: its members, their form, and how long the token may
 * be used. The access token itself stays opaque. @see RFC 6749 section 5.1
 */

import { NorthkeyError } from './error.ts'
import {
  decodeUtf8,
  isJsonObject,
  type JsonObject,
  parseJson,
  readJsonObject,
} from './json-response.ts'
import { isAccessToken, isRefreshToken } from './opaque-values.ts'
import { isScope } from './scope.ts'
import type { ServerResponse } from './server-response.ts'

export type TokenType = 'Bearer' | 'DPoP'

/** The members of a token response in camelCase. */
export interface AccessTokenResponse {
  accessToken: string
  tokenType: TokenType
  /** {@link UNSTATED_EXPIRY_MS} if the server states no life. */
  expiresAtMs: number
  /** The granted scope, which may be less or more than the requested scope. */
  scope: string
  refreshToken: string | undefined
  idToken: string | undefined
}

export const TOKEN_ENDPOINT = 'token endpoint'
const VISIBLE_ASCII = 'visible ASCII characters'

/**
 * Expiry of a token whose life the server does not state: the latest time that a `Date` has. RFC 6749 section 5.1
 * recommends `expires_in` and does not require it: such a token serves until the API refuses it.
 */
export const UNSTATED_EXPIRY_MS = 8_640_000_000_000_000
const LIFETIME_LIMIT_SECONDS = 24 * 60 * 60

/** The required binding of a token to a key. @see RFC 9449 section 5 */
export type Binding =
  /** No proof was sent: the token must be a bearer token. */
  | 'none'
  /** A proof was sent: the token must be a DPoP token. */
  | 'required'
  /** A proof was sent; a bearer token is accepted as well (CAMARA leaves the choice to the client). */
  | 'preferred'

export interface ResponseExpectation {
  requestedScope: string
  binding: Binding
  now: number
}

/** Reads and validates a successful response. */
export function validateAccessTokenResponse(
  response: ServerResponse,
  expected: ResponseExpectation,
): AccessTokenResponse {
  const body = readJsonObject(response, TOKEN_ENDPOINT)
  const seconds = readLifetime(body.expires_in)
  return {
    refreshToken: readOptional(body, 'refresh_token', isRefreshToken, 'printable ASCII'),
    idToken: readOptional(body, 'id_token', isAccessToken, VISIBLE_ASCII),
    accessToken: readValue(body, 'access_token', isAccessToken, VISIBLE_ASCII),
    tokenType: readTokenType(body.token_type, expected.binding),
    expiresAtMs: seconds === undefined ? UNSTATED_EXPIRY_MS : expected.now + 1000 * seconds,
    scope: readScope(body.scope, expected.requestedScope),
  }
}

/** Reads the tokens of a response that is otherwise invalid; `undefined` without an access token. Never throws. */
export function readIssuedTokens(
  response: ServerResponse,
): { accessToken: string; refreshToken?: string } | undefined {
  const body = parseJson(decodeUtf8(response.octets) ?? '')
  if (!isJsonObject(body)) return undefined
  const { access_token: accessToken, refresh_token: refreshToken } = body
  if (!isAccessToken(accessToken)) return undefined
  return { accessToken, ...(isRefreshToken(refreshToken) && { refreshToken }) }
}

type Grammar = (value: unknown) => value is string

function readValue(body: JsonObject, name: string, isValid: Grammar, characters: string): string {
  const value = body[name]
  if (isValid(value)) return value
  throw invalidMember(name, `a string of ${characters}`)
}

function readOptional(
  body: JsonObject,
  name: string,
  isValid: Grammar,
  characters: string,
): string | undefined {
  // Some servers send an empty string for a token that they do not issue.
  const isAbsent = body[name] === undefined || body[name] === ''
  return isAbsent ? undefined : readValue(body, name, isValid, characters)
}

function readTokenType(value: unknown, binding: Binding): TokenType {
  const word = typeof value === 'string' ? value.toLowerCase() : undefined
  if (word !== 'bearer' && word !== 'dpop') throw invalidMember('token_type', 'Bearer or DPoP')
  const bound = word === 'dpop'
  if (bound ? binding === 'none' : binding === 'required') {
    throw new NorthkeyError(
      'token_type_mismatch',
      `${TOKEN_ENDPOINT}: "token_type" must be ${binding === 'none' ? 'Bearer' : 'DPoP'}`,
    )
  }
  return bound ? 'DPoP' : 'Bearer'
}

/** Seconds, at most a day, or `undefined`. Some servers send the number as a string. */
function readLifetime(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 1) return undefined
  return Math.min(Math.floor(seconds), LIFETIME_LIMIT_SECONDS)
}

function readScope(value: unknown, requested: string): string {
  if (value === undefined) return requested
  if (value === '') return ''
  if (isScope(value)) return value
  throw invalidMember('scope', 'a scope')
}

function invalidMember(name: string, expectation: string): NorthkeyError {
  return new NorthkeyError(
    'invalid_response',
    `${TOKEN_ENDPOINT}: "${name}" must be ${expectation}`,
  )
}
