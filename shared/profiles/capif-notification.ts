/**
 * Revocation notification of a CAPIF core. The member of the token is `access_token` in V19.4 and `accessToken`
 * in V19.5; both are read.
 * @see TS 29.222 clause 8.5.4.2.5 (SecurityNotification)
 */

import { NorthkeyError } from '../oauth/error.ts'
import { isJsonObject } from '../oauth/json-response.ts'

export interface SecurityNotification {
  apiInvokerId: string
  apiIds: string[]
  /** An open enumeration: `OVERLIMIT_USAGE`, `UNEXPECTED_REASON`, `AUTHORIZATION_ISSUE`, … */
  cause: string
  aefId?: string
  accessToken?: string
}

const CAUSE = /^[A-Za-z0-9_.-]{1,64}$/

/** Parses and checks a notification, or throws `invalid_response`. */
export function parseSecurityNotification(value: unknown): SecurityNotification {
  if (!isJsonObject(value)) throw invalidNotification('the notification must be an object')
  const { apiInvokerId, apiIds, cause, aefId } = value
  if (typeof apiInvokerId !== 'string' || apiInvokerId === '') {
    throw invalidNotification('"apiInvokerId" must be a string')
  }
  if (
    !Array.isArray(apiIds) ||
    apiIds.length === 0 ||
    !apiIds.every((id) => typeof id === 'string')
  ) {
    throw invalidNotification('"apiIds" must be a list of strings')
  }
  if (typeof cause !== 'string' || !CAUSE.test(cause))
    throw invalidNotification('"cause" must be a word')
  const accessToken = value.accessToken ?? value.access_token
  return {
    apiInvokerId,
    apiIds: [...apiIds],
    cause,
    ...(typeof aefId === 'string' && { aefId }),
    ...(typeof accessToken === 'string' && { accessToken }),
  }
}

function invalidNotification(message: string): NorthkeyError {
  return new NorthkeyError('invalid_response', message)
}
