/** Creates metadata of pre-registered public clients: the UE applications that the operator has registered in advance. */

import type { ClientMetadata } from 'oidc-provider'
import { redirectUriFor } from '../../../shared/core/redirect-uri.ts'
import type { Application } from '../options.ts'

/**
 * Metadata of a pre-registered application: no secret, PKCE, one redirect URI per broker.
 * @see RFC 7591 section 2, RFC 8252 section 8.4
 */
export async function createClientMetadata(
  application: Application,
  issuer: string,
  redirectBases: readonly string[],
): Promise<ClientMetadata> {
  const redirectUris = await Promise.all(redirectBases.map((base) => redirectUriFor(base, issuer)))
  return {
    client_id: application.clientId,
    client_name: application.name,
    redirect_uris: redirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...(application.jwks
      ? { token_endpoint_auth_method: 'private_key_jwt' as const, jwks: application.jwks }
      : { token_endpoint_auth_method: 'none' as const }),
    // The redirect host of the broker differs by browser, and several hosts require a sector identifier.
    sector_identifier_uri: `https://${sectorOf(application.clientId)}.applications.example/`,
  }
}

function sectorOf(clientId: string): string {
  return clientId.toLowerCase().replace(/[^a-z0-9-]+/g, '-')
}
