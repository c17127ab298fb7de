/** What holds for the client in every request: whom it talks to, and how it says who it is. */

import type { ClientAuthenticationOptions, ClientKey } from '../oauth/client-authentication.ts'
import { NorthkeyError } from '../oauth/error.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'

/**
 * Refuses metadata of another issuer than the server's: what one server gave, a code, a token, a
 * client, is never shown to another. @see RFC 9700 section 4.4
 */
export function requireSameIssuer(server: ServerConfig, metadata: ServerMetadata): void {
  if (server.issuer === metadata.issuer) return
  throw new NorthkeyError('issuer_mismatch', '"metadata" must be of the issuer of "server"')
}

/** How the client authenticates, from the operator's settings and the profile. */
export function authenticationOf(
  server: ServerConfig,
  key: ClientKey | undefined,
): ClientAuthenticationOptions {
  return {
    method: server.clientAuthentication ?? 'none',
    key,
    audience: profileOf(server).assertionAudience,
  }
}
