/**
 * What one family of authorization functions has of its own: data and small pure functions, so that
 * the flow reads the same for all and has no `if` for any.
 */

import type { CapifSettings, OperatorProfile } from '../messages/operator-profile.ts'
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
  | 'dpop'
  | 'pushedAuthorizationRequests'
  | 'capif'
>

export interface ScopeWishes {
  /** Whether a refresh token is wanted. */
  offlineAccess: boolean
}

export interface TokenRequestShape {
  /** Form parameters to add to those of RFC 6749. */
  add: Record<string, string>
  /** Parameters of RFC 6749 to leave out. */
  omit: string[]
}

export interface Profile {
  /** Which metadata documents a server of this family publishes. */
  readonly wellKnown: readonly WellKnown[]
  /** Whether `resource` (RFC 8707) is understood. */
  readonly resourceIndicators: boolean
  /** Whether there are refresh tokens at all; else a grant is renewed by a silent authorization. */
  readonly refreshTokens: boolean
  /** Whether DPoP may be used at all. */
  readonly dpop: boolean
  /** Whether a bearer token is an acceptable answer to a proof, unless the operator requires DPoP. */
  readonly acceptsBearerForDpop: boolean
  readonly assertionAudience: 'issuer' | 'endpoint'
  /** Statuses of a token response beside 200. */
  readonly successStatuses: readonly number[]

  /** The scope of the authorization request, checked by the family's rules. */
  authorizationScope(apis: readonly ApiAccess[], wishes: ScopeWishes): string
  /** The metadata as it holds for one client. */
  metadataFor(metadata: ServerMetadata, server: ServerConfig, clientId: string): ServerMetadata
  /** How the code request differs from RFC 6749 section 4.1.3. */
  codeRequest(code: string, settings: CapifSettings | undefined, gpsi?: string): TokenRequestShape
  /** The part of a scope that lies within another; empty where there is none. */
  scopeWithin(asked: string, granted: string): string
  /** Whether a token for this scope serves one call alone. */
  isSingleUse(scope: string): boolean
}
