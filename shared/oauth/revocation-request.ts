/**
 * Token revocation request. Status 200 is success for any token, also an invalid one; after a 503 the token
 * still exists.
 * @see RFC 7009 sections 2.1, 2.2 and 2.2.1
 */

import { allowInsecureRequests, customFetch, revocationRequest } from 'oauth4webapi'
import { type ClientAuthenticationOptions, clientAuthentication } from './client-authentication.ts'
import { type Effects, protocolClient } from './effects.ts'
import { errorFromResponse } from './error-response.ts'
import { sendByLibrary } from './http.ts'
import { requireEndpoint, type ServerMetadata } from './metadata.ts'

const ENDPOINT = 'revocation endpoint'

export interface RevocationRequest {
  metadata: ServerMetadata
  clientId: string
  authentication: ClientAuthenticationOptions
  token: string
  tokenTypeHint: 'access_token' | 'refresh_token'
}

/** Revokes one token. Throws `unsupported_by_server` if the server has no revocation endpoint. */
export async function requestRevocation(
  request: RevocationRequest,
  effects: Effects,
): Promise<void> {
  const { metadata, clientId, token } = request
  requireEndpoint(metadata, 'revocation_endpoint', effects)
  const response = await sendByLibrary(
    (send) =>
      revocationRequest(
        metadata,
        protocolClient(clientId, effects),
        clientAuthentication(request.authentication, metadata, 'revocation_endpoint'),
        token,
        {
          additionalParameters: { token_type_hint: request.tokenTypeHint },
          [allowInsecureRequests]: effects.allowInsecureLoopback === true,
          [customFetch]: send,
        },
      ),
    ENDPOINT,
    effects,
  )
  if (response.status !== 200) throw errorFromResponse(response, ENDPOINT, effects.now(), [token])
}
