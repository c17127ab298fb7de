/** Options that a network is started with. */

import type { JWK } from 'jose'
import type { Operator } from './operator.ts'
import type { Subscriber } from './subscribers.ts'

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
