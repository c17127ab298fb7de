/** Registers an application as a client of its own at the server, without a client secret. */

import { publicClientKey } from '../oauth/client-authentication.ts'
import { type RegisteredClient, requestClientRegistration } from '../oauth/client-registration.ts'
import type { Effects } from '../oauth/effects.ts'
import { withOwnErrors } from '../oauth/error.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'
import { requireSameIssuer } from './client.ts'

export interface RegisterClient {
  server: ServerConfig
  metadata: ServerMetadata
  clientName: string
  redirectUris: readonly string[]
  scope?: string | undefined
  /** Public key for `private_key_jwt`, for a server that requires it. */
  clientPublicKey?: CryptoKey | undefined
  initialAccessToken?: string | undefined
}

/**
 * Registers a client for one origin. With `private_key_jwt` the result has the `kid` of the published key, which
 * belongs into the {@link ClientKey} of each later request.
 * @see RFC 7591 section 3
 */
export function registerClient(
  request: RegisterClient,
  effects: Effects,
): Promise<RegisteredClient> {
  return withOwnErrors(async () => {
    const { server, metadata, clientPublicKey } = request
    requireSameIssuer(server, request.metadata)
    return requestClientRegistration(
      {
        metadata,
        clientName: request.clientName,
        redirectUris: request.redirectUris,
        scope: request.scope,
        initialAccessToken: request.initialAccessToken,
        authentication: server.clientAuthentication ?? 'none',
        dpopBound: server.dpop === 'required',
        refreshTokens: profileOf(server).refreshTokens,
        publicJwk: clientPublicKey && (await publicClientKey(clientPublicKey)),
      },
      effects,
    )
  })
}
