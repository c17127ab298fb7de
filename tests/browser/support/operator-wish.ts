/** Builds a page's request for APIs of an operator of the network. */

import type { ProfileName } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess, ConnectParams } from '../../../shared/messages/page-api.ts'
import type { Stage } from './stage.ts'

/** Returns a request for all APIs of the operator with this profile, each with its first scopes. */
export function wishForAll(
  { network }: Stage,
  profile: ProfileName,
  scopesOfEach = 1,
): { issuer: string; apis: ApiAccess[] } {
  const operator = network.operatorProfiles.find((candidate) => candidate.profile === profile)
  if (!operator) throw new Error(`no operator with the profile ${profile}`)
  const apis = operator.apis.map(({ resource, scopes, purposes }) => ({
    resource,
    scope: scopes
      .slice(0, scopesOfEach)
      .map(({ scope }) => scope)
      .join(' '),
    ...(profile === 'camara' && { purpose: purposes?.[0] ?? '' }),
  }))
  return { issuer: operator.issuer, apis }
}

/** Returns a request for the first API of the operator with this profile. */
export function wishFor(stage: Stage, profile: ProfileName, scopes = 1): ConnectParams {
  const { issuer, apis } = wishForAll(stage, profile, scopes)
  return { issuer, apis: apis.slice(0, 1) }
}
