/**
 * Calls of CAMARA APIs: what must not be sent with a three-legged token, and what an error of theirs
 * means for the token that was used.
 * @see CAMARA API design guidelines (error responses, "Working with device information")
 */

import { NorthkeyError, type NorthkeyErrorCode } from '../oauth/error.ts'
import { isJsonObject, parseJson } from '../oauth/json-response.ts'

/** Members that name a subscriber. A three-legged token names one already. */
const IDENTIFIERS = ['device', 'phoneNumber'] as const

/** Scopes of APIs whose very question is a phone number. */
const ASKS_FOR_NUMBER = /(^| )number-verification:/

/**
 * Refuses a body that names the device beside a token that stands for it: the API would answer
 * `UNNECESSARY_IDENTIFIER`, and the subscriber's number would have left for nothing.
 */
export function requireNoIdentifier(body: string | undefined, scope: string): void {
  const value = body === undefined ? undefined : parseJson(body)
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

/** What a broker does about an error of an API. */
export type CamaraReaction =
  /** Get a new token and call once more. Never for tokens that serve one call. */
  | 'renew'
  /** The token does not allow it; the same token never will. */
  | 'insufficient_scope'
  /** The subscriber was not authenticated by the mobile network. */
  | 'not_on_mobile_network'
  /** Later, as `Retry-After` says. */
  | 'wait'
  /** The page's own affair. */
  | 'pass'

/** The reaction to an API's status and `code`. */
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

/** Our code for an API's error, or nothing where the page gets the answer as it is. */
export function camaraErrorCode(status: number, body: string): NorthkeyErrorCode | undefined {
  const value = parseJson(body)
  const code = isJsonObject(value) && typeof value.code === 'string' ? value.code : undefined
  return REACTION_CODE[camaraReaction(status, code)]
}
