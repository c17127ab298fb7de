/**
 * Creates the request for a game session and reads its answers, in the terms of TS 29.122 (AS session with required
 * QoS). The request does not name the UE: the network derives the subscriber from the access token, and the page
 * must not be able to name another subscriber.
 */

import type { DemoSiteConfig } from '../config.ts'

export const DEFAULT_QOS_REFERENCE = 'QOS_L'

/** Address of the game server, from a range that is reserved for documentation (RFC 5737). */
const GAME_SERVER = '203.0.113.20'
const MEDIA_PORT = 40000

/** The members of AsSessionWithQoSSubscription that the page sends. */
export interface QosSessionRequest {
  supportedFeatures: string
  notificationDestination: string
  websockNotifConfig: { requestWebsocketUri: boolean }
  flowInfo: { flowId: number; flowDescriptions: string[] }[]
  qosReference: string
}

/** Session that is active in the network. */
export interface QosSession {
  /** `self` of the subscription. */
  url: string
  id: string
  qosReference: string | undefined
}

/**
 * URL of the collection "AS Session with Required QoS Subscriptions".
 *
 * @see TS 29.122 V19.6.0 clause 5.14.3.2
 */
export function subscriptionsUrl({ resource, scsAsId }: DemoSiteConfig): string {
  return `${resource.replace(/\/$/, '')}/${encodeURIComponent(scsAsId)}/subscriptions`
}

/**
 * The body of the request that creates the session.
 *
 * A page cannot host the callback that `notificationDestination` requires. It names an address that cannot
 * exist (RFC 6761) and requests delivery over a WebSocket instead.
 *
 * @see TS 29.122 V19.6.0 clause 5.14.2.1.2, TS 29.214 clause 5.3.8 for the flow descriptions
 */
export function qosSessionRequest(config: DemoSiteConfig): QosSessionRequest {
  return {
    // Notification_websocket, the first feature of clause 5.14.4.
    supportedFeatures: '1',
    notificationDestination: 'https://notifications.skyframe.invalid/qos',
    websockNotifConfig: { requestWebsocketUri: true },
    flowInfo: [
      {
        flowId: 1,
        flowDescriptions: [
          `permit out 17 from ${GAME_SERVER} ${MEDIA_PORT} to any`,
          `permit in 17 from any to ${GAME_SERVER} ${MEDIA_PORT}`,
        ],
      },
    ],
    qosReference: config.qosReference ?? DEFAULT_QOS_REFERENCE,
  }
}

/** Reads an AsSessionWithQoSSubscription; `undefined` for any other body. */
export function readQosSession(body: unknown, location?: string): QosSession | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { self, qosReference } = body as Record<string, unknown>
  const url = typeof self === 'string' ? self : location
  if (url === undefined || !URL.canParse(url)) return undefined
  const id = new URL(url).pathname.split('/').filter(Boolean).at(-1)
  if (id === undefined) return undefined
  return {
    url,
    id: decodeURIComponent(id),
    qosReference: typeof qosReference === 'string' ? qosReference : undefined,
  }
}

/** Reads the answer to "Read all active subscriptions". */
export function readQosSessions(body: unknown): QosSession[] {
  if (!Array.isArray(body)) return []
  return body.map((item) => readQosSession(item)).filter((session) => session !== undefined)
}
