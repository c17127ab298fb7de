/** What a network is started with, and what it hands back. */

import type { JWK } from 'jose'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import type { AccessNetwork } from './access-network.ts'
import type { Faults } from './faults/faults.ts'
import type { Operator } from './operator.ts'
import type { RequestLog } from './request-log.ts'
import type { RevocationCause } from './revocations.ts'
import type { Subscriber, SubscriberDirectory } from './subscribers.ts'
import type { Messages } from './text-messages.ts'

/** A UE application that the operator knows beforehand: a public client bound to origins. */
export interface Application {
  clientId: string
  name: string
  origins: string[]
  /** Public keys for `private_key_jwt`; without them the client is a public one. */
  jwks?: { keys: JWK[] }
}

export interface Ports {
  authorization?: number
  apis?: number
  userPlane?: number
  /** Given, even as 0, the control API listens there. */
  control?: number
}

export interface NetworkOptions {
  /** Issuer of the `oauth` profile: http on a loopback name, with the port to use and maybe a path. */
  issuer?: string
  /** Address to listen on. Default: 127.0.0.1. */
  host?: string
  /** Default: free ports. */
  ports?: Ports
  operator?: Operator
  applications: Application[]
  /** What `identity.getRedirectURL()` gives in each browser: the hosts of the broker. */
  redirectBases: string[]
  subscribers?: readonly Subscriber[]
  /** Default: 600. */
  accessTokenSeconds?: number
  /** Default: offered, with nonces. CAPIF tokens are bearer tokens in any case. */
  dpop?: 'with-nonce' | 'without-nonce' | 'off'
  /** Default: offered. */
  pushedAuthorizationRequests?: boolean
  /** Whether a connection serves more than one request. Default: true. */
  reuseConnections?: boolean
  /** Which subscriber's UE has which address, for authentication by the access network. */
  accessNetwork?: Readonly<Record<string, string>>
}

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
  messages: Messages
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
