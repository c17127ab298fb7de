/**
 * Error of a call whose access token is missing, invalid or insufficient. Each API formats the body in its own
 * way; the `WWW-Authenticate` challenge is the same for all. @see RFC 6750 section 3, RFC 9449 section 7.1
 */

export interface ChallengeDetails {
  scope?: string
  dpop?: boolean
  /** New DPoP nonce. */
  nonce?: string
}

export class AccessTokenError extends Error {
  readonly status: 401 | 403
  readonly code: string | undefined
  readonly headers: Record<string, string>

  /** @param code RFC 6750 error code; absent when the request has no authentication information. */
  constructor(status: 401 | 403, code?: string, detail?: string, details: ChallengeDetails = {}) {
    super(detail ?? 'an access token is required')
    this.status = status
    this.code = code
    const parameters = [
      'realm="northbound"',
      ...(code ? [`error="${code}"`] : []),
      ...(detail ? [`error_description="${detail}"`] : []),
      ...(details.scope ? [`scope="${details.scope}"`] : []),
      ...(details.dpop ? ['algs="ES256"'] : []),
    ]
    this.headers = {
      'WWW-Authenticate': `${details.dpop ? 'DPoP' : 'Bearer'} ${parameters.join(', ')}`,
      ...(details.nonce ? { 'DPoP-Nonce': details.nonce } : {}),
    }
  }
}
