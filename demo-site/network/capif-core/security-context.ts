/**
 * Negotiates the security context of an API invoker: security method and grant type for each API. Accepts member
 * names of V18.4 as well as those of V18.5 and later. @see TS 29.222 clause 8.5.2.3, ServiceSecurity
 */

import { AEF_ID, listApis } from '../apis/catalogue.ts'
import { Problem } from '../apis/problem-details.ts'
import { compileSchema, validateBody } from '../apis/validation.ts'
import { PKCE_GRANT } from './service-apis.ts'

export interface SecurityInformation {
  aefId?: string
  interfaceDetails?: Record<string, unknown>
  apiId?: string
  prefSecurityMethods: string[]
  selSecurityMethod?: string
  grantType?: string[]
  authorizationFlow?: string[]
}

export interface ServiceSecurity {
  securityInfo: SecurityInformation[]
  notificationDestination: string
  requestTestNotification?: boolean
  websockNotifConfig?: { requestWebsocketUri?: boolean; websocketUri?: string }
  supportedFeatures?: string
}

/** `Notification_test_event`, `Notification_websocket`, `SecurityInfoPerAPI`. */
const SUPPORTED_FEATURES = 0b111

const strings = { type: 'array', minItems: 1, items: { type: 'string' } } as const

export const validateServiceSecurity = compileSchema<ServiceSecurity>({
  type: 'object',
  required: ['securityInfo', 'notificationDestination'],
  properties: {
    securityInfo: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['prefSecurityMethods'],
        oneOf: [{ required: ['aefId'] }, { required: ['interfaceDetails'] }],
        properties: {
          aefId: { type: 'string' },
          interfaceDetails: { type: 'object' },
          apiId: { type: 'string' },
          prefSecurityMethods: strings,
          grantType: strings,
          authorizationFlow: strings,
        },
      },
    },
    notificationDestination: { type: 'string', minLength: 1 },
    requestTestNotification: { type: 'boolean' },
    websockNotifConfig: {
      type: 'object',
      properties: {
        requestWebsocketUri: { type: 'boolean' },
        websocketUri: { type: 'string' },
      },
    },
    supportedFeatures: { type: 'string', pattern: '^[A-Fa-f0-9]*$' },
  },
})

/** Selects OAuth with PKCE for each API. @throws Problem 400 when any item cannot be agreed on. */
export function negotiateSecurity(
  body: unknown,
  websocketUri: string | undefined,
): ServiceSecurity {
  const requested = validateBody(validateServiceSecurity, body)
  return {
    securityInfo: requested.securityInfo.map(selectSecurityMethod),
    notificationDestination: requested.notificationDestination,
    ...(requested.requestTestNotification === undefined
      ? {}
      : { requestTestNotification: requested.requestTestNotification }),
    ...(websocketUri === undefined
      ? {}
      : { websockNotifConfig: { requestWebsocketUri: true, websocketUri } }),
    supportedFeatures: intersectFeatures(requested.supportedFeatures),
  }
}

function selectSecurityMethod(information: SecurityInformation): SecurityInformation {
  const { aefId, apiId, prefSecurityMethods } = information
  if (aefId !== undefined && aefId !== AEF_ID)
    throw createNegotiationProblem('/securityInfo/aefId', 'is unknown')
  if (apiId !== undefined && !listApis('capif').some((api) => api.apiId === apiId)) {
    throw createNegotiationProblem('/securityInfo/apiId', 'is unknown')
  }
  if (!prefSecurityMethods.includes('OAUTH')) {
    throw createNegotiationProblem('/securityInfo/prefSecurityMethods', 'must have OAUTH')
  }
  const usesV18Names = information.authorizationFlow !== undefined
  const { grantType: _asked, authorizationFlow: _earlyAsked, ...kept } = information
  return {
    ...kept,
    selSecurityMethod: 'OAUTH',
    ...(usesV18Names
      ? { authorizationFlow: ['AUTHORIZATION_CODE_FLOW_WITH_PKCE'] }
      : { grantType: [PKCE_GRANT] }),
  }
}

function createNegotiationProblem(param: string, reason: string): Problem {
  return new Problem(400, {
    cause: 'INVALID_MSG_FORMAT',
    detail: 'the security information cannot be agreed on',
    invalidParams: [{ param, reason }],
  })
}

function intersectFeatures(features: string | undefined): string {
  return (Number.parseInt(features || '0', 16) & SUPPORTED_FEATURES).toString(16)
}
