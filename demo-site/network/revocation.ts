/** Type of a revocation of resource-owner authorization, as `Revocations` announces it. */

import type { IssuedToken } from './authorization-function/issued-tokens.ts'

/** `Cause` of TS 29.222 clause 8.5.4.3.4. */
export type RevocationCause =
  | 'OVERLIMIT_USAGE'
  | 'UNEXPECTED_REASON'
  | 'AUTHORIZATION_ISSUE'
  | 'OTHER_REASON'

export interface Revocation {
  issuer: string
  clientId: string
  accountId: string
  cause: RevocationCause
  /** Access tokens that were valid until now. */
  tokens: IssuedToken[]
}
