/**
 * Rules for calls of CAMARA APIs: members that must not be sent with a three-legged token, and the meaning of
 * an API's error for the token that was used.
 * @see CAMARA API design guidelines (error responses, "Working with device information")
 */

import { NorthkeyError, type NorthkeyErrorCode } from '../oauth/error.ts'
import { isJsonObject, parseJson } from '../oauth/json-response.ts'

/** Members that identify a subscriber. A three-legged token identifies the subscriber already. */
const IDENTIFIERS = ['device', 'phoneNumber'] as const

/** Scopes of APIs whose request is a phone number by purpose. */
const ASKS_FOR_NUMBER = /(^| )number-verification:/

/**
 * Parses a body as the API would: of any depth, and with a byte order mark. Only its first level is read, so that the
 * depth does no harm.
 */
function parseBody(body: string): unknown {
  try {
    return JSON.parse(body.replace(/^\ufeff/, ''))
  } catch {
    return undefined
  }
}

/**
 * Throws for a body that identifies the device beside a token that identifies it already: the API would answer
 * `UNNECESSARY_IDENTIFIER`, and the subscriber's number would have been sent without need.
 */
export function requireNoIdentifier(body: string | undefined, scope: string): void {
  const value = body === undefined ? undefined : parseBody(body)
  if (!isJsonObject(value)) return
  for (const name of IDENTIFIERS) {
    if (name === 'phoneNumber' && ASKS_FOR_NUMBER.test(scope)) continue
    if (value[name] !== undefined) {
      throw new NorthkeyError(
        'invalid_params',
        `"${name}" must be absent: the token stands for the subscriber`,
      )
    }
  }
}

/** Reaction of the broker to an error of an API. */
export type CamaraReaction =
  /** Get a new token and retry the call once. Never for single-use tokens. */
  | 'renew'
  /** The token does not permit the call, and a retry with it cannot succeed. */
  | 'insufficient_scope'
  /** The subscriber was not authenticated by the mobile network. */
  | 'not_on_mobile_network'
  /** Retry later, after `Retry-After`. */
  | 'wait'
  /** Pass the error to the page. */
  | 'pass'

/** Maps an API's status and `code` to a reaction. */
export function camaraReaction(status: number, code: string | undefined): CamaraReaction {
  if (code?.endsWith('USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK')) return 'not_on_mobile_network'
  if (status === 401) return 'renew'
  if (status === 403) {
    return code === undefined || code === 'PERMISSION_DENIED' ? 'insufficient_scope' : 'pass'
  }
  return status === 429 ? 'wait' : 'pass'
}

const REACTION_CODE: Readonly<Record<CamaraReaction, NorthkeyErrorCode | undefined>> = {
  renew: 'invalid_token',
  insufficient_scope: 'insufficient_scope',
  not_on_mobile_network: 'not_on_mobile_network',
  wait: 'rate_limited',
  pass: undefined,
}

/** Maps an API's error to a code, or returns `undefined` if the page gets the response unchanged. */
export function camaraErrorCode(status: number, body: string): NorthkeyErrorCode | undefined {
  const value = parseJson(body)
  const code = isJsonObject(value) && typeof value.code === 'string' ? value.code : undefined
  return REACTION_CODE[camaraReaction(status, code)]
}
