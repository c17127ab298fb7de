/**
 * Describes the published APIs for discovery. An onboarded invoker gets the complete description
 * (Discover_Service, clause 8.1); open discovery (clause 8.11) leaves out security methods, grant types and
 * interfaces. @see TS 29.222
 */

import { AEF_ID, type ExposedApi, listApis } from '../apis/catalogue.ts'

export const PKCE_GRANT = 'AUTHORIZATION_CODE_WITH_PKCE'

export interface DiscoveryFilter {
  grantTypes?: readonly string[]
  apiName?: string
  aefId?: string
}

function describeVersions(api: ExposedApi) {
  return [
    {
      apiVersion: api.path.split('/').at(-1) ?? 'v1',
      resources: [
        {
          resourceName: 'subscriptions',
          commType: 'REQUEST_RESPONSE',
          uri: '/{scsAsId}/subscriptions',
          operations: [...api.methods],
        },
      ],
    },
  ]
}

/** Returns a `ServiceAPIDescription` for each API that matches the filter. */
export function describeServiceApis(apisOrigin: string, filter: DiscoveryFilter) {
  const { hostname, port } = new URL(apisOrigin)
  const grantTypeMatches =
    filter.grantTypes === undefined ||
    filter.grantTypes.includes(PKCE_GRANT) ||
    filter.grantTypes.includes('AUTHORIZATION_CODE_FLOW_WITH_PKCE')
  if (!grantTypeMatches || (filter.aefId !== undefined && filter.aefId !== AEF_ID)) return []
  return listApis('capif')
    .filter((api) => filter.apiName === undefined || filter.apiName === api.name)
    .map((api) => ({
      apiName: api.name,
      apiId: api.apiId,
      description: api.description,
      aefProfiles: [
        {
          aefId: AEF_ID,
          versions: describeVersions(api),
          protocol: 'HTTP_1_1',
          dataFormat: 'JSON',
          securityMethods: ['OAUTH'],
          grantTypes: [PKCE_GRANT],
          interfaceDescriptions: [
            {
              ipv4Addr: hostname,
              port: Number(port),
              securityMethods: ['OAUTH'],
              grantTypes: [PKCE_GRANT],
            },
          ],
        },
      ],
    }))
}

/** Returns `OpenAPIDetails`, without security methods, grant types and interfaces. */
export function describeOpenServiceApis(apiNames: readonly string[] | undefined) {
  return listApis('capif')
    .filter((api) => apiNames === undefined || apiNames.includes(api.name))
    .map((api) => ({
      apiName: api.name,
      apiId: api.apiId,
      description: api.description,
      aefProfiles: [
        {
          aefId: AEF_ID,
          versions: describeVersions(api),
          protocol: 'HTTP_1_1',
          dataFormat: 'JSON',
        },
      ],
    }))
}
