/** Revokes tokens at the authorization server. */

import type { ClientKey } from '../oauth/client-authentication.ts'
import type { Effects } from '../oauth/effects.ts'
import { withOwnErrors } from '../oauth/error.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import { requestRevocation } from '../oauth/revocation-request.ts'
import type { ServerConfig } from '../profiles/profile.ts'
import { authenticationOf, requireSameIssuer } from './client.ts'

export interface RevokeToken {
  server: ServerConfig
  metadata: ServerMetadata
  clientId: string
  token: string
  tokenTypeHint: 'access_token' | 'refresh_token'
  clientKey?: ClientKey | undefined
}

/**
 * Revokes one token. Throws `unsupported_by_server` if the server has no revocation endpoint,
 * `authorization_server_error` for any client error but 408 and 429, which a retry does not change, and
 * `network_error` or `rate_limited`, with `retryAfterSeconds`, if the request has to be retried.
 * @see RFC 7009 section 2
 */
export function revokeToken(request: RevokeToken, effects: Effects): Promise<void> {
  return withOwnErrors(async () => {
    requireSameIssuer(request.server, request.metadata)
    return requestRevocation(
      { ...request, authentication: authenticationOf(request.server, request.clientKey) },
      effects,
    )
  })
}
