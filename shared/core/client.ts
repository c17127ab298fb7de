/** Rules for the client in every request: the issuer, and the client authentication. */

import type { ClientAuthenticationOptions, ClientKey } from '../oauth/client-authentication.ts'
import { NorthkeyError } from '../oauth/error.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'

/**
 * Throws for metadata of another issuer than the server's: a code, a token or a client of one server is never
 * sent to another. @see RFC 9700 section 4.4
 */
export function requireSameIssuer(server: ServerConfig, metadata: ServerMetadata): void {
  if (server.issuer === metadata.issuer) return
  throw new NorthkeyError('issuer_mismatch', '"metadata" must be of the issuer of "server"')
}

/** Client authentication, from the operator profile and the protocol profile. */
export function authenticationOf(
  server: ServerConfig,
  key: ClientKey | undefined,
): ClientAuthenticationOptions {
  return {
    method: server.clientAuthentication ?? 'none',
    key,
    audience: server.assertionAudience ?? profileOf(server).assertionAudience,
  }
}
