/**
 * The northbound APIs that the network exposes: what they are called on the wire, and what the
 * consent screen and an operator profile say of them in plain words.
 */

import type {
  HttpMethod,
  OperatorApi,
  ProfileName,
} from '../../../shared/messages/operator-profile.ts'

export interface ApiScope {
  scope: string
  /** Completes the sentence "The application will be able to …". */
  description: string
}

export interface ExposedApi {
  /** API name, for instance `3gpp-as-session-with-qos`. */
  name: string
  /** Path below the origin of the API exposing functions. */
  path: string
  title: string
  description: string
  profiles: readonly ProfileName[]
  scopes: readonly ApiScope[]
  methods: readonly HttpMethod[]
  purposes?: readonly string[]
  tokenUse?: 'cache' | 'single-use'
}

export const EXPOSED_APIS: readonly ExposedApi[] = [
  {
    name: '3gpp-as-session-with-qos',
    path: '/3gpp-as-session-with-qos/v1',
    title: 'Session with quality of service',
    description: 'Sets up, changes and ends a faster, steadier data session for your phone.',
    profiles: ['oauth', 'capif'],
    scopes: [
      {
        scope: '3gpp-as-session-with-qos',
        description: 'give your phone a faster, steadier connection, and end it again',
      },
    ],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    purposes: ['dpv:RequestedServiceProvision'],
  },
]

/** The APIs of one profile as an operator profile lists them. */
export function operatorApis(profile: ProfileName, apisOrigin: string): OperatorApi[] {
  return EXPOSED_APIS.filter(({ profiles }) => profiles.includes(profile)).map((api) => ({
    resource: `${apisOrigin}${api.path}`,
    name: api.title,
    description: api.description,
    scopes: api.scopes.map(({ scope, description }) => ({ scope, description })),
    methods: [...api.methods],
    ...(api.purposes ? { purposes: [...api.purposes] } : {}),
    ...(api.tokenUse ? { tokenUse: api.tokenUse } : {}),
  }))
}

/** Finds the exposed API that a resource indicator names. @see RFC 8707 section 2 */
export function apiOfResource(
  resource: string,
  profile: ProfileName,
  apisOrigin: string,
): ExposedApi | undefined {
  return EXPOSED_APIS.find(
    ({ path, profiles }) => profiles.includes(profile) && `${apisOrigin}${path}` === resource,
  )
}
