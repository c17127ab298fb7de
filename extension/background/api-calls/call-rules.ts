/**
 * What a family of APIs has of its own in a call: a body that must not be sent beside a three-legged
 * token, and errors that mean more to the broker than to the page. Data, so that the call has no `if`.
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
  /** @throws NorthkeyError `invalid_params` for a body that must not be sent. */
  checkBody(body: string | undefined, scope: string): void
  /** The broker's code for an API's error, or nothing where the page gets the answer as it is. */
  errorCode(status: number, body: string): NorthkeyErrorCode | undefined
  /** Whether `acr_values` may be asked for when an API wants another authentication. */
  readonly acrValues: boolean
}

const NO_RULES: CallRules = { checkBody: () => {}, errorCode: () => undefined, acrValues: true }

export const CALL_RULES: Readonly<Record<ProfileName, CallRules>> = {
  oauth: NO_RULES,
  capif: NO_RULES,
  camara: { checkBody: requireNoIdentifier, errorCode: camaraErrorCode, acrValues: false },
}
