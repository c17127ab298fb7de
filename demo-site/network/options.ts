/** Options that a network is started with. */

import type { JWK } from 'jose'
import type { Operator } from './operator.ts'
import type { Subscriber } from './subscribers.ts'

/** UE application that is registered in advance: a public client bound to origins. */
export interface Application {
  clientId: string
  name: string
  origins: string[]
  /** Public keys for `private_key_jwt`; without them the client is public. */
  jwks?: { keys: JWK[] }
}

export interface Ports {
  authorization?: number
  apis?: number
  userPlane?: number
  /** Port of the control API, 0 for a free one. Absent: no control API. */
  control?: number
}

export interface NetworkOptions {
  /** Issuer of the `oauth` profile: an http URL on loopback, optionally with port and path. */
  issuer?: string
  /** Address to listen on. Default: 127.0.0.1. */
  host?: string
  /** Default: free ports. */
  ports?: Ports
  operator?: Operator
  applications: Application[]
  /** Redirect hosts of the broker: the results of `identity.getRedirectURL()`, one per browser. */
  redirectBases: string[]
  subscribers?: readonly Subscriber[]
  /** Default: 600. */
  accessTokenSeconds?: number
  /** Default: offered, with nonces. CAPIF tokens are bearer tokens in any case. */
  dpop?: 'with-nonce' | 'without-nonce' | 'off'
  /** Default: offered. */
  pushedAuthorizationRequests?: boolean
  /** Whether connections are kept alive for further requests. Default: true. */
  reuseConnections?: boolean
  /** Subscriber identifiers by UE address, for authentication by the access network. */
  accessNetwork?: Readonly<Record<string, string>>
}
