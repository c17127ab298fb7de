/**
 * Security negotiation with a CAPIF core: which grant type an API is to be used with, in the names of
 * V18.4 (`authorizationFlow`, `…_FLOW…`) and of V18.5 and V19 (`grantType`, `OAuthGrantType`).
 *
 * Border: the code grant with PKCE or none. A core that would have the code grant without PKCE is
 * refused, whatever it calls it.
 * @see TS 29.222 clause 8.5, CAPIF_Security_API and CAPIF_Discover_Service_API
 */

import { NorthkeyError } from '../oauth/error.ts'
import { isJsonObject, type JsonObject } from '../oauth/json-response.ts'

/** `OAuthGrantType` of V18.5 and later. */
export const PKCE_GRANT = 'AUTHORIZATION_CODE_WITH_PKCE'
/** The same in V18.4. */
export const PKCE_FLOW = 'AUTHORIZATION_CODE_FLOW_WITH_PKCE'

/** The query of a discovery for APIs that may be used with PKCE (V19.1). */
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

/** A type and not an interface, so that a validator takes it for plain data. */
export type ServiceSecurity = {
  securityInfo: { aefId: string; apiId?: string; prefSecurityMethods: string[] }[]
  notificationDestination: string
  websockNotifConfig?: { requestWebsocketUri: boolean }
  supportedFeatures: string
}

/** Feature 2 of CAPIF_Security_API: notifications over a WebSocket. */
const WEBSOCKET_FEATURE = '2'

/**
 * The body of `PUT /trustedInvokers/{apiInvokerId}`. A UE hosts no callback: the destination that the
 * schema wants is one that never resolves, and the notifications come over a WebSocket.
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

/** What a core settled on. */
export interface CapifNegotiation {
  websocketUri?: string
}

/** Judges the core's response: OAuth, and the code grant with PKCE, for every API. */
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
 * Whether an AEF lets an API be used with PKCE: what an interface says overrules its profile.
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
