/**
 * Security negotiation with a CAPIF core: the grant type of an API, in the names of V18.4
 * (`authorizationFlow`, `…_FLOW…`) and of V18.5 and V19 (`grantType`, `OAuthGrantType`).
 *
 * Border: only the code grant with PKCE. A core that offers the code grant without PKCE is rejected, under
 * any of these names.
 * @see TS 29.222 clause 8.5, CAPIF_Security_API and CAPIF_Discover_Service_API
 */

import { NorthkeyError } from '../oauth/error.ts'
import { isJsonObject, type JsonObject } from '../oauth/json-response.ts'

/** `OAuthGrantType` of V18.5 and later. */
export const PKCE_GRANT = 'AUTHORIZATION_CODE_WITH_PKCE'
/** The same in V18.4. */
export const PKCE_FLOW = 'AUTHORIZATION_CODE_FLOW_WITH_PKCE'

/** Query for the discovery of APIs that support PKCE (V19.1). */
export function capifDiscoveryQuery(apiInvokerId: string): URLSearchParams {
  return new URLSearchParams({
    'api-invoker-id': apiInvokerId,
    'grant-types': JSON.stringify([PKCE_GRANT]),
  })
}

export interface CapifApi {
  aefId: string
  /** The identifier under which the API is published, not its name. Absent: all APIs of the AEF. */
  apiId?: string
}

/** A type and not an interface, so that it is assignable to the plain data of a validator. */
export type ServiceSecurity = {
  securityInfo: { aefId: string; apiId?: string; prefSecurityMethods: string[] }[]
  notificationDestination: string
  websockNotifConfig?: { requestWebsocketUri: boolean }
  supportedFeatures: string
}

/** Feature 2 of CAPIF_Security_API: notifications over a WebSocket. */
const WEBSOCKET_FEATURE = '2'

/**
 * Body of `PUT /trustedInvokers/{apiInvokerId}`. A UE hosts no callback: the required destination is a name that
 * never resolves, and the notifications arrive over a WebSocket.
 */
export function capifServiceSecurity(
  apis: readonly CapifApi[],
  notifications: 'websocket' | 'none' = 'websocket',
): ServiceSecurity {
  return {
    securityInfo: apis.map(({ aefId, apiId }) => ({
      aefId,
      ...(apiId !== undefined && { apiId }),
      prefSecurityMethods: ['OAUTH'],
    })),
    notificationDestination: 'https://ue.invalid/notifications',
    ...(notifications === 'websocket' && { websockNotifConfig: { requestWebsocketUri: true } }),
    supportedFeatures: notifications === 'websocket' ? WEBSOCKET_FEATURE : '0',
  }
}

/** Result of the negotiation. */
export interface CapifNegotiation {
  websocketUri?: string
}

/** Validates the core's response: OAuth, and the code grant with PKCE, for every API. */
export function readServiceSecurity(response: unknown): CapifNegotiation {
  const entries = isJsonObject(response) ? response.securityInfo : undefined
  if (!Array.isArray(entries) || entries.length === 0 || !entries.every(isJsonObject)) {
    throw new NorthkeyError('invalid_response', '"securityInfo" must be a list of objects')
  }
  for (const entry of entries as JsonObject[]) {
    if (entry.selSecurityMethod !== 'OAUTH') {
      throw new NorthkeyError('unsupported_by_server', '"selSecurityMethod" must be OAUTH')
    }
    if (!offersPkce(entry)) {
      throw new NorthkeyError('pkce_unsupported', `"grantType" must have ${PKCE_GRANT}`)
    }
  }
  const config = (response as JsonObject).websockNotifConfig
  const uri = isJsonObject(config) ? config.websocketUri : undefined
  return typeof uri === 'string' ? { websocketUri: uri } : {}
}

/** Whether a profile, an interface or a security entry offers PKCE, by either release's name. */
export function offersPkce(entry: JsonObject): boolean {
  return [entry.grantType, entry.grantTypes, entry.authorizationFlow].some(
    (names) => Array.isArray(names) && (names.includes(PKCE_GRANT) || names.includes(PKCE_FLOW)),
  )
}

/**
 * Whether an AEF offers PKCE for an API. The grant types of an interface override those of its profile.
 * @see TS 29.222 `AefProfile.grantTypes`, `InterfaceDescription.grantTypes` (V19.1)
 */
export function aefOffersPkce(aefProfile: JsonObject, interfaceIndex = 0): boolean {
  const { interfaceDescriptions } = aefProfile
  const description = Array.isArray(interfaceDescriptions)
    ? interfaceDescriptions[interfaceIndex]
    : undefined
  const overrules = isJsonObject(description) && description.grantTypes !== undefined
  return offersPkce(overrules ? description : aefProfile)
}
