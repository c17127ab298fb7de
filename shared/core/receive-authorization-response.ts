/** Receives the redirect: returns a redeemable flow, or throws the error of the response. */

import { NorthkeyError } from '../oauth/error.ts'
import { explainError } from './explain-error.ts'
import { type AwaitingAuthorizationResponse, type RedeemableFlow, transition } from './flow.ts'

export { authorizationResponseState } from '../oauth/authorization-response.ts'

/**
 * @param url The redirect as it arrived.
 * @param now Epoch milliseconds.
 * @see RFC 6749 section 4.1.2, RFC 9207 section 2.4
 */
export function receiveAuthorizationResponse(
  flow: AwaitingAuthorizationResponse,
  url: string,
  now: number,
): RedeemableFlow {
  const next = transition(flow, { type: 'redirectReceived', url, now })
  if (next.name === 'failed') throw explainError(NorthkeyError.from(next.error), flow)
  return next
}
