/**
 * Lists the northbound APIs that the network exposes: their names on the wire, and the descriptions that the
 * consent screen and the operator profiles show.
 */

import type {
  HttpMethod,
  OperatorApi,
  ProfileName,
} from '../../../shared/messages/operator-profile.ts'

/** Identifier of the only API exposing function of this network. @see TS 29.222 clause 8.2.4.2.4 */
export const AEF_ID = 'aef-meridian'

export interface ApiScope {
  scope: string
  /** Completes the sentence "It will be able to …". */
  description: string
}

export interface ExposedApi {
  /** API name, for instance `3gpp-as-session-with-qos`. */
  name: string
  /** Identifier in the CAPIF core. */
  apiId: string
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

const PURPOSES = ['dpv:RequestedServiceProvision', 'dpv:FraudPreventionAndDetection'] as const

export const EXPOSED_APIS: readonly ExposedApi[] = [
  {
    name: '3gpp-as-session-with-qos',
    apiId: 'api-as-session-with-qos',
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
  {
    name: '3gpp-monitoring-event',
    apiId: 'api-monitoring-event',
    path: '/3gpp-monitoring-event/v1',
    title: 'Location of your phone',
    description: 'Tells where the network last saw your phone.',
    profiles: ['oauth', 'capif'],
    scopes: [{ scope: '3gpp-monitoring-event', description: 'learn where your phone is' }],
    methods: ['GET', 'POST', 'DELETE'],
    purposes: PURPOSES,
  },
  {
    name: 'quality-on-demand',
    apiId: 'api-quality-on-demand',
    path: '/quality-on-demand/v1',
    title: 'Quality on demand',
    description: 'Gives your phone a better connection for a while.',
    profiles: ['camara'],
    scopes: [
      {
        scope: 'quality-on-demand:sessions:create',
        description: 'start a better connection for your phone',
      },
      {
        scope: 'quality-on-demand:sessions:read',
        description: 'see the better connections that it started',
      },
      {
        scope: 'quality-on-demand:sessions:update',
        description: 'prolong a better connection',
      },
      { scope: 'quality-on-demand:sessions:delete', description: 'end a better connection' },
      {
        scope: 'quality-on-demand:sessions:retrieve-by-device',
        description: 'list the better connections of your phone',
      },
    ],
    methods: ['GET', 'POST', 'DELETE'],
    purposes: ['dpv:RequestedServiceProvision'],
  },
  {
    name: 'number-verification',
    apiId: 'api-number-verification',
    path: '/number-verification/v2',
    title: 'Number verification',
    description: 'Confirms that a phone number is the one of this phone.',
    profiles: ['camara'],
    scopes: [
      {
        scope: 'number-verification:verify',
        description: 'ask whether a phone number is yours',
      },
      {
        scope: 'number-verification:device-phone-number:read',
        description: 'learn your phone number',
      },
    ],
    methods: ['GET', 'POST'],
    purposes: ['dpv:FraudPreventionAndDetection'],
    tokenUse: 'single-use',
  },
  {
    name: 'location-verification',
    apiId: 'api-location-verification',
    path: '/location-verification/v3',
    title: 'Location verification',
    description: 'Confirms whether your phone is in a certain area.',
    profiles: ['camara'],
    scopes: [
      {
        scope: 'location-verification:verify',
        description: 'ask whether your phone is in an area that it names',
      },
    ],
    methods: ['POST'],
    purposes: PURPOSES,
  },
]

/** Descriptions of the W3C DPV purposes that the operator supports. */
export const PURPOSE_TEXTS: Readonly<Record<string, string>> = {
  'dpv:RequestedServiceProvision': 'To provide the service that you asked it for',
  'dpv:FraudPreventionAndDetection': 'To prevent and detect fraud',
  'dpv:ServicePersonalisation': 'To make the service fit you',
  'dpv:Marketing': 'For marketing',
  'dpv:ResearchAndDevelopment': 'For research and development',
}

/** Lists the scopes of an API in the syntax of one profile. @see TS 29.222 table 8.5.4.2.6-1 */
export function listScopes(api: ExposedApi, profile: ProfileName): ApiScope[] {
  if (profile !== 'capif') return [...api.scopes]
  const description = api.scopes.map((scope) => scope.description).join(', and ')
  return [{ scope: `3gpp#${AEF_ID}:${api.name}`, description }]
}

export function findExposedApi(name: string): ExposedApi {
  const api = EXPOSED_APIS.find((candidate) => candidate.name === name)
  if (!api) throw new Error(`there is no API ${name}`)
  return api
}

export function listApis(profile: ProfileName): ExposedApi[] {
  return EXPOSED_APIS.filter(({ profiles }) => profiles.includes(profile))
}

/** Lists the APIs of one profile in the form of an operator profile. */
export function listOperatorApis(profile: ProfileName, apisOrigin: string): OperatorApi[] {
  return listApis(profile).map((api) => ({
    resource: `${apisOrigin}${api.path}`,
    name: api.title,
    description: api.description,
    scopes: listScopes(api, profile),
    methods: [...api.methods],
    ...(api.purposes ? { purposes: [...api.purposes] } : {}),
    ...(api.tokenUse ? { tokenUse: api.tokenUse } : {}),
  }))
}

/** Finds the exposed API that a resource indicator names. @see RFC 8707 section 2 */
export function findApiByResource(
  resource: string,
  profile: ProfileName,
  apisOrigin: string,
): ExposedApi | undefined {
  return listApis(profile).find(({ path }) => `${apisOrigin}${path}` === resource)
}
