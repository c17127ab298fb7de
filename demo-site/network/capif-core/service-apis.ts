/**
 * The published APIs as discovery shows them: fully to an onboarded invoker, and without what only an
 * invoker needs to whoever asks. @see TS 29.222 clauses 8.1 (Discover_Service) and 8.11 (open discovery)
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

/** `ServiceAPIDescription` of each API that meets the filter. */
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

/** `OpenAPIDetails`: no security methods, no grant types, no interfaces. */
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
