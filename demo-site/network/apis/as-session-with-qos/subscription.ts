/**
 * Types and schemas of `AsSessionWithQoSSubscription`: the members that this API exposing function interprets.
 * Other members of the specification are stored and returned unchanged. @see TS 29.122 V19.6.0 clause 5.14.2
 */

import { compileSchema } from '../validation.ts'

export interface WebsockNotifConfig {
  websocketUri?: string
  requestWebsocketUri?: boolean
}

export interface AsSessionWithQoSSubscription {
  self?: string
  supportedFeatures?: string
  notificationDestination: string
  gpsi?: string
  ueIpv4Addr?: string
  ueIpv6Addr?: string
  flowInfo?: { flowId: number; flowDescriptions?: string[] }[]
  qosReference?: string
  altQoSReferences?: string[]
  qosDuration?: number
  events?: string[]
  websockNotifConfig?: WebsockNotifConfig
}

export type AsSessionWithQoSSubscriptionPatch = {
  [Member in keyof AsSessionWithQoSSubscription]?: AsSessionWithQoSSubscription[Member] | null
}

const members = {
  supportedFeatures: { type: 'string', pattern: '^[A-Fa-f0-9]*$' },
  notificationDestination: { type: 'string', format: 'uri' },
  exterAppId: { type: 'string' },
  gpsi: { type: 'string', minLength: 1 },
  ueIpv4Addr: { type: 'string', format: 'ipv4' },
  ueIpv6Addr: { type: 'string', format: 'ipv6' },
  flowInfo: {
    type: 'array',
    minItems: 1,
    items: {
      type: 'object',
      required: ['flowId'],
      properties: {
        flowId: { type: 'integer' },
        flowDescriptions: {
          type: 'array',
          minItems: 1,
          maxItems: 2,
          items: { type: 'string' },
        },
      },
    },
  },
  qosReference: { type: 'string' },
  altQoSReferences: { type: 'array', minItems: 1, items: { type: 'string' } },
  qosDuration: { type: 'integer', minimum: 1 },
  events: { type: 'array', minItems: 1, items: { type: 'string' } },
  requestTestNotification: { type: 'boolean' },
  websockNotifConfig: {
    type: 'object',
    properties: {
      websocketUri: { type: 'string' },
      requestWebsocketUri: { type: 'boolean' },
    },
  },
} as const

export const validateSubscription = compileSchema<AsSessionWithQoSSubscription>({
  type: 'object',
  required: ['notificationDestination'],
  properties: members,
})

export const validatePatch = compileSchema<AsSessionWithQoSSubscriptionPatch>({
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(members).map(([name, schema]) => [name, { anyOf: [schema, { type: 'null' }] }]),
  ),
})
