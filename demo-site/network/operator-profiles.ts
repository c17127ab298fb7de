/** Creates the operator profiles of the network, one per issuer, as a broker reads them. */

import type { OperatorProfile, ProfileName } from '../../shared/messages/operator-profile.ts'
import { listOperatorApis } from './apis/catalogue.ts'
import type { AuthorizationServerSettings } from './authorization-function/authorization-server-settings.ts'
import { DEFAULT_OPERATOR } from './operator.ts'

/** Profiles of the network: each has an issuer with its own path. */
export const PROFILES: readonly { profile: ProfileName; path: string }[] = [
  { profile: 'oauth', path: '' },
  { profile: 'capif', path: '/capif' },
  { profile: 'camara', path: '/camara' },
]

/** Creates the operator profile of an issuer. */
export function createOperatorProfile(settings: AuthorizationServerSettings): OperatorProfile {
  const { issuer, profile, apisOrigin, options } = settings
  const { name } = options.operator ?? DEFAULT_OPERATOR
  return {
    issuer,
    name: profile === 'oauth' ? name : `${name} (${TITLES[profile]})`,
    profile,
    // CAMARA has no public clients: each installation registers a key that was created on the UE.
    clientAuthentication: profile === 'camara' ? 'private_key_jwt' : 'none',
    onboarding: profile === 'camara' ? 'dynamic' : 'preregistered',
    dpop: profile === 'capif' ? 'never' : 'when_offered',
    pushedAuthorizationRequests: 'when_offered',
    // The APIs of `oauth` are resources of their own; those of the other profiles share one.
    ...(profile === 'oauth' ? { resourceIndicators: 'always' } : {}),
    networkAuthentication: profile === 'camara',
    ...(profile === 'capif' ? { capif: { apiRoot: issuer } } : {}),
    apis: listOperatorApis(profile, apisOrigin),
    applications: options.applications.map(({ clientId, name: application, origins }) => ({
      clientId,
      name: application,
      origins: [...origins],
    })),
  }
}

const TITLES = { capif: 'CAPIF', camara: 'CAMARA' } as const
