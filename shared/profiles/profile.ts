/**
 * Protocol profile: the differences of one family of authorization functions, as data and pure functions. The
 * flow has no branches for single families.
 */

import type { CapifSettings, OperatorApi, OperatorProfile } from '../messages/operator-profile.ts'
import type { ApiAccess } from '../messages/page-api.ts'
import type { ServerMetadata, WellKnown } from '../oauth/metadata.ts'

/**
 * The parts of an operator profile that the flow needs. An `OperatorProfile` is one.
 */
export type ServerConfig = Pick<
  OperatorProfile,
  | 'issuer'
  | 'profile'
  | 'metadata'
  | 'clientAuthentication'
  | 'assertionAudience'
  | 'dpop'
  | 'openid'
  | 'offlineAccess'
  | 'resourceIndicators'
  | 'pushedAuthorizationRequests'
  | 'capif'
>

export interface ScopeOptions {
  /** Whether to request the scope `offline_access`. */
  offlineAccess: boolean
  /** Whether to request an ID token. */
  idToken: boolean
}

export interface TokenRequestShape {
  /** Form parameters in addition to those of RFC 6749. */
  add: Record<string, string>
  /** Parameters of RFC 6749 to omit. */
  omit: string[]
}

export interface Profile {
  /** The metadata documents that a server of this family publishes. */
  readonly wellKnown: readonly WellKnown[]
  /** Whether requests name resources (RFC 8707) where the operator profile does not say so. */
  readonly resourceIndicators: NonNullable<OperatorProfile['resourceIndicators']>
  /** Whether the family has refresh tokens. If not, a silent authorization renews a grant. */
  readonly refreshTokens: boolean
  /** Whether `offline_access` is requested where the operator profile does not say so. */
  readonly offlineAccess: NonNullable<OperatorProfile['offlineAccess']>
  /** Whether an ID token is requested where the operator profile does not say so. */
  readonly openid: NonNullable<OperatorProfile['openid']>
  /** Whether DPoP may be used. */
  readonly dpop: boolean
  /** Whether a bearer token is accepted although a proof was sent, unless the operator requires DPoP. */
  readonly acceptsBearerForDpop: boolean
  /** `aud` of a client assertion where the operator profile does not say so. */
  readonly assertionAudience: NonNullable<OperatorProfile['assertionAudience']>
  /** Success statuses of a token response besides 200. */
  readonly successStatuses: readonly number[]

  /** The scope of the authorization request, checked by the family's rules. */
  authorizationScope(apis: readonly ApiAccess[], options: ScopeOptions): string
  /**
   * The scope to register a client with, which contains the scope of each of its requests. `undefined` if there is
   * none, or if it cannot be listed. @see RFC 7591 section 2
   */
  registrationScope(apis: readonly OperatorApi[], options: ScopeOptions): string | undefined
  /** The metadata for one client. */
  metadataFor(metadata: ServerMetadata, server: ServerConfig, clientId: string): ServerMetadata
  /** Differences of the token request from RFC 6749 section 4.1.3. */
  codeRequest(code: string, settings: CapifSettings | undefined, gpsi?: string): TokenRequestShape
  /** The part of a requested scope that the granted scope contains; an empty string if there is none. */
  scopeWithin(asked: string, granted: string): string
  /** Whether a token for this scope is for one call only. */
  isSingleUse(scope: string): boolean
}
