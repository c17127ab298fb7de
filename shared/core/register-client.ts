/** Registers an application as a client of its own at the server, without a client secret. */

import { publicClientKey } from '../oauth/client-authentication.ts'
import { type RegisteredClient, requestClientRegistration } from '../oauth/client-registration.ts'
import type { Effects } from '../oauth/effects.ts'
import { isNorthkeyError, withOwnErrors } from '../oauth/error.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'
import { requireSameIssuer } from './client.ts'

export interface RegisterClient {
  server: ServerConfig
  metadata: ServerMetadata
  clientName: string
  redirectUris: readonly string[]
  /** All that the client's requests may name. @see registrationScope */
  scope?: string | undefined
  /** Public key for `private_key_jwt`, for a server that requires it. */
  clientPublicKey?: CryptoKey | undefined
  initialAccessToken?: string | undefined
}

/** Errors by which servers refuse the scope of a registration. @see RFC 7591 section 3.2.2 */
const SCOPE_ERRORS: readonly (string | undefined)[] = [
  'invalid_client_metadata',
  'invalid_scope',
  'insufficient_scope',
]

/**
 * Registers a client for one origin. Some servers give a client no more than the scope of its registration; others
 * know only their own scopes there, and not those of the APIs. So a scope that is refused is left out. With
 * `private_key_jwt` the result has the `kid` of the published key, which belongs into the {@link ClientKey} of each
 * later request.
 * @see RFC 7591 section 3
 */
export function registerClient(
  request: RegisterClient,
  effects: Effects,
): Promise<RegisteredClient> {
  return withOwnErrors(async () => {
    const { server, metadata, clientPublicKey } = request
    requireSameIssuer(server, request.metadata)
    const registration = {
      metadata,
      clientName: request.clientName,
      redirectUris: request.redirectUris,
      initialAccessToken: request.initialAccessToken,
      authentication: server.clientAuthentication ?? 'none',
      dpopBound: server.dpop === 'required',
      refreshTokens: profileOf(server).refreshTokens,
      publicJwk: clientPublicKey && (await publicClientKey(clientPublicKey)),
    }
    const { scope } = request
    if (scope === undefined) return requestClientRegistration(registration, effects)
    try {
      return await requestClientRegistration({ ...registration, scope }, effects)
    } catch (error) {
      if (!isNorthkeyError(error) || !SCOPE_ERRORS.includes(error.error)) throw error
      return requestClientRegistration(registration, effects)
    }
  })
}
