/** The issuers of the network, and what each tells a broker about itself. */

import type { OperatorProfile, ProfileName } from '../../shared/messages/operator-profile.ts'
import { listOperatorApis } from './apis/catalogue.ts'
import type { AuthorizationServerSettings } from './authorization-function/authorization-server-settings.ts'
import { DEFAULT_OPERATOR } from './operator.ts'

/** One issuer per profile, at a path of its own. */
export const PROFILES: readonly { profile: ProfileName; path: string }[] = [
  { profile: 'oauth', path: '' },
  { profile: 'capif', path: '/capif' },
  { profile: 'camara', path: '/camara' },
]

/** What an operator of such an issuer would hand to a broker. */
export function createOperatorProfile(settings: AuthorizationServerSettings): OperatorProfile {
  const { issuer, profile, apisOrigin, options } = settings
  const { name } = options.operator ?? DEFAULT_OPERATOR
  return {
    issuer,
    name: profile === 'oauth' ? name : `${name} (${TITLES[profile]})`,
    profile,
    // CAMARA has no public clients: a key made on the UE is registered for each installation.
    clientAuthentication: profile === 'camara' ? 'private_key_jwt' : 'none',
    onboarding: profile === 'camara' ? 'dynamic' : 'preregistered',
    dpop: profile === 'capif' ? 'never' : 'when_offered',
    pushedAuthorizationRequests: 'when_offered',
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
