/** Types and schema of `MonitoringEventSubscription`: the members that this API exposing function interprets. */

import { compileSchema } from '../validation.ts'

export interface MonitoringEventSubscription {
  self?: string
  supportedFeatures?: string
  notificationDestination: string
  monitoringType: 'LOCATION_REPORTING'
  locationType?: string
  accuracy?: string
  maximumNumberOfReports?: number
  monitorExpireTime?: string
  /** Seconds. */
  repPeriod?: number
  msisdn?: string
  externalId?: string
  websockNotifConfig?: { requestWebsocketUri?: boolean; websocketUri?: string }
  monitoringEventReport?: object
}

/** @see TS 29.122 V19.5.0 clause 5.3.2.1.2 */
export const validateSubscription = compileSchema<MonitoringEventSubscription>({
  type: 'object',
  required: ['notificationDestination', 'monitoringType'],
  anyOf: [{ required: ['maximumNumberOfReports'] }, { required: ['monitorExpireTime'] }],
  properties: {
    notificationDestination: { type: 'string', format: 'uri' },
    monitoringType: { const: 'LOCATION_REPORTING' },
    locationType: {
      enum: ['CURRENT_LOCATION', 'LAST_KNOWN_LOCATION', 'CURRENT_OR_LAST_KNOWN_LOCATION'],
    },
    accuracy: { type: 'string' },
    maximumNumberOfReports: { type: 'integer', minimum: 1 },
    monitorExpireTime: { type: 'string', format: 'date-time' },
    repPeriod: { type: 'integer', minimum: 1, maximum: 86_400 },
    msisdn: { type: 'string' },
    externalId: { type: 'string' },
    supportedFeatures: { type: 'string', pattern: '^[A-Fa-f0-9]*$' },
    websockNotifConfig: {
      type: 'object',
      properties: {
        requestWebsocketUri: { type: 'boolean' },
        websocketUri: { type: 'string' },
      },
    },
  },
})
