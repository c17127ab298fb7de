/**
 * Creates the error of a page that no operator knows. It is the same for each cause, so that a page learns nothing about
 * operators; the cause is its diagnosis. In a development build an application of a rejected profile gets the
 * reasons: its developer is the one who can correct the profile.
 */

import { type BrokerError, invalidParams, noGrant } from '../platform/broker-error.ts'
import {
  explainUnknownApplication,
  findRejectedApplication,
  type WantedApplication,
} from './connect-diagnosis.ts'
import { getMergedOperators } from './operators.ts'

/** @returns `no_grant` with its diagnosis; `invalid_params` for a rejected profile in a development build. */
export async function explainNoApplication(wanted: WantedApplication): Promise<BrokerError> {
  const merged = await getMergedOperators()
  const rejected = __DEVELOPMENT__ ? findRejectedApplication(merged, wanted) : undefined
  if (rejected) {
    return invalidParams(
      `issuer: expected one whose profile is accepted; its profile is rejected: ${rejected.reasons.join('; ')}`,
      explainUnknownApplication(merged, wanted),
    )
  }
  return noGrant(explainUnknownApplication(merged, wanted))
}
