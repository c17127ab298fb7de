/** Interface of a running network, as `startNetwork` returns it. */

import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import type { AccessNetwork } from './access-network.ts'
import type { Faults } from './faults/faults.ts'
import type { RequestLog } from './request-log.ts'
import type { RevocationCause } from './revocation.ts'
import type { SubscriberDirectory } from './subscribers.ts'
import type { TextMessages } from './text-messages.ts'

export interface Network {
  /** Issuer identifier of the authorization function's `oauth` profile. */
  issuer: string
  /** Origin of the authorization function, where `/account` and `/phone` lie as well. */
  origin: string
  /** Origin of the API exposing functions. */
  apisOrigin: string
  /** Origin of the demo's byte stream (`/stream`) and datagrams (`/datagrams`). */
  userPlaneOrigin: string
  /** Ready to hand to the broker. */
  operatorProfiles: OperatorProfile[]
  subscribers: SubscriberDirectory
  /** Which address is whose: attach a UE, or take it off the mobile network. */
  accessNetwork: AccessNetwork
  /** Text messages to the subscribers' phones. */
  messages: TextMessages
  log: RequestLog
  /** What goes wrong on demand. */
  faults: Faults
  /** Origin of the control API, where one was asked for. */
  controlOrigin?: string
  /** Takes a subscriber's authorization of an application back, as the network would. */
  revoke(
    issuer: string,
    subscriberId: string,
    clientId: string,
    cause?: RevocationCause,
  ): Promise<boolean>
  /** Lets an issuer sign with a new key. */
  rotateKeys(issuer: string): Promise<void>
  close(): Promise<void>
}
