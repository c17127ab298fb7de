/**
 * Implements `broker_getInfo`: describes the broker, and nothing about users and grants. For an issuer whose operator
 * knows the origin of the page, the result has the whole redirect URI, which a developer registers there. An issuer that is
 * not known and an operator that does not know this origin look the same.
 */

import type { BrokerInfo, GetInfoParams } from '../../../shared/messages/page-api.ts'
import { PROTOCOL } from '../../../shared/messages/page-api.ts'
import { getRedirectUri } from '../clients/clients.ts'
import { findApplication, findOperator } from '../operators/operators.ts'
import { redirectBase } from '../platform/redirect-base.ts'
import type { Call } from './page-call.ts'

/** Tells whether an origin may connect at an operator. A client document may need the redirect URI before it exists. */
async function isKnownAt(issuer: string, origin: string): Promise<boolean> {
  const operator = await findOperator(issuer)
  if (!operator) return false
  const { onboarding = 'preregistered' } = operator
  return (
    onboarding !== 'preregistered' || findApplication(operator, origin, undefined) !== undefined
  )
}

export async function getInfo(
  { origin }: Pick<Call, 'origin'>,
  { issuer }: GetInfoParams = {},
): Promise<BrokerInfo> {
  const isKnown = issuer !== undefined && (await isKnownAt(issuer, origin))
  return {
    protocol: PROTOCOL,
    version: __VERSION__,
    features: ['fetch', 'token', 'dpop'],
    redirectUris: [redirectBase],
    ...(isKnown && { redirectUri: await getRedirectUri(issuer) }),
  }
}
