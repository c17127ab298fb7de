/** What a page asks for at the operators of the network, by their profile. */

import type { ProfileName } from '../../../shared/messages/operator-profile.ts'
import type { ConnectParams } from '../../../shared/messages/page-api.ts'
import type { Stage } from './stage.ts'

/**
 * Parameters of `northbound_connect` for an API of an operator: its first scope, and a purpose where the
 * operator has purposes.
 *
 * @param part A part of the API's base URL. Default: the operator's first API.
 */
export function wishAt(
  { network }: Pick<Stage, 'network'>,
  profile: ProfileName,
  part = '',
): ConnectParams {
  const operator = network.operatorProfiles.find((known) => known.profile === profile)
  const api = operator?.apis.find(({ resource }) => resource.includes(part))
  const scope = api?.scopes[0]?.scope
  if (!operator || !api || scope === undefined) {
    throw new Error(`no API with ${part} at an operator of the profile ${profile}`)
  }
  const purpose = api.purposes?.[0]
  return {
    issuer: operator.issuer,
    apis: [{ resource: api.resource, scope, ...(purpose !== undefined && { purpose }) }],
  }
}
