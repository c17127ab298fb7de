/** What a network is started with, and what it hands back. */

import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import type { Operator } from './operator.ts'
import type { RequestLog } from './request-log.ts'
import type { Subscriber, SubscriberDirectory } from './subscribers.ts'

/** A UE application that the operator knows beforehand: a public client bound to origins. */
export interface Application {
  clientId: string
  name: string
  origins: string[]
}

export interface Ports {
  authorization?: number
  apis?: number
}

export interface NetworkOptions {
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
}

export interface Network {
  /** Issuer identifier of the authorization function's `oauth` profile. */
  issuer: string
  /** Origin of the API exposing functions. */
  apisOrigin: string
  /** Ready to hand to the broker. */
  operatorProfiles: OperatorProfile[]
  subscribers: SubscriberDirectory
  log: RequestLog
  close(): Promise<void>
}
