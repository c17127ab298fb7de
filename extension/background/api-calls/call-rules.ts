/**
 * Defines the rules of each operator profile for an API call: request bodies that must not accompany a
 * three-legged token (a token that was issued for a subscriber), API errors that become an error of the
 * broker, and support for `acr_values`. The rules are a table, so that `api-call.ts` has no branch for
 * a profile.
 *
 * @see CAMARA API design guidelines (error responses, "Working with device information")
 */

import {
  camaraErrorCode,
  type NorthkeyErrorCode,
  requireNoIdentifier,
} from '../../../shared/core/index.ts'
import type { ProfileName } from '../../../shared/messages/operator-profile.ts'

export interface CallRules {
  /**
   * Checks the request body against the scope of the token.
   *
   * @throws NorthkeyError `invalid_params` for a body that must not be sent.
   */
  checkBody(body: string | undefined, scope: string): void
  /**
   * The broker's code for an API's error response, or `undefined` if the page gets the response
   * unchanged.
   */
  errorCode(status: number, body: string): NorthkeyErrorCode | undefined
  /** Whether a step-up may request `acr_values`. @see RFC 9470 section 4 */
  readonly acrValues: boolean
}

const NO_RULES: CallRules = { checkBody: () => {}, errorCode: () => undefined, acrValues: true }

export const CALL_RULES: Readonly<Record<ProfileName, CallRules>> = {
  oauth: NO_RULES,
  capif: NO_RULES,
  camara: { checkBody: requireNoIdentifier, errorCode: camaraErrorCode, acrValues: false },
}
