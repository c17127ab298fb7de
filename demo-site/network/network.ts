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
  /** Origin of the authorization function, which also serves `/account` and `/phone`. */
  origin: string
  /** Origin of the API exposing functions. */
  apisOrigin: string
  /** Origin of the demo's byte stream (`/stream`) and datagrams (`/datagrams`). */
  userPlaneOrigin: string
  /** Operator profiles for the broker, one per issuer. */
  operatorProfiles: OperatorProfile[]
  subscribers: SubscriberDirectory
  /** Addresses of attached UEs: attaches a UE to the mobile network, or detaches it. */
  accessNetwork: AccessNetwork
  /** Text messages to the phones of the subscribers. */
  messages: TextMessages
  log: RequestLog
  /** Faults that the servers inject on demand. */
  faults: Faults
  /** Origin of the control API, if `ports.control` was given. */
  controlOrigin?: string
  /** Revokes a subscriber's authorization of an application, as the network would. False if there is none. */
  revoke(
    issuer: string,
    subscriberId: string,
    clientId: string,
    cause?: RevocationCause,
  ): Promise<boolean>
  /** Rotates the signing key of an issuer. */
  rotateKeys(issuer: string): Promise<void>
  close(): Promise<void>
}
