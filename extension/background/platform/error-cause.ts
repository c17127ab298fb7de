/**
 * Describes the cause of an error for the log: endpoint and status of a server. The texts are the broker's own, and
 * contain no value of a call. Of a server they contain its error word, and the issuer that its metadata state. Pure.
 */

import {
  ERROR_CODE,
  type ErrorCode,
  type ProviderErrorObject,
} from '../../../shared/messages/page-api.ts'

/** Errors that a server or the network caused: their messages name the endpoint and the status. */
const CAUSED_OUTSIDE: readonly ErrorCode[] = [
  ERROR_CODE.interactionRequired,
  ERROR_CODE.insufficientAuthorization,
  ERROR_CODE.notOnMobileNetwork,
  ERROR_CODE.untrustedResponse,
  ERROR_CODE.authorizationServerError,
  ERROR_CODE.unreachable,
]

/** @returns `undefined` where the name of the error says all. */
export function describeCause({ code, message, data }: ProviderErrorObject): string | undefined {
  if (!CAUSED_OUTSIDE.includes(code)) return undefined
  const { httpStatus } = data
  const isNamed = httpStatus === undefined || message.includes(`status ${httpStatus}`)
  return isNamed ? message : `${message} (status ${httpStatus})`
}
