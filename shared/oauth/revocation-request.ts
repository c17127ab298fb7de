/**
 * Token revocation request. A success status is success for any token, also an invalid one; after a 503 the token
 * still exists. A client error is the server's refusal, whatever its body is.
 * @see RFC 7009 sections 2.1, 2.2 and 2.2.1
 */

import { allowInsecureRequests, customFetch, revocationRequest } from 'oauth4webapi'
import { type ClientAuthenticationOptions, clientAuthentication } from './client-authentication.ts'
import { type Effects, protocolClient } from './effects.ts'
import { NorthkeyError } from './error.ts'
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

/**
 * Revokes one token.
 * @throws NorthkeyError `unsupported_by_server` if the server has no revocation endpoint, and
 * `authorization_server_error` for its refusal, which a retry does not change.
 */
export async function requestRevocation(
  request: RevocationRequest,
  effects: Effects,
): Promise<void> {
  requireEndpoint(request.metadata, 'revocation_endpoint', effects)
  try {
    await sendRevocation(request, effects)
  } catch (error) {
    throw error instanceof NorthkeyError && isRefusal(error)
      ? new NorthkeyError('authorization_server_error', error.message, error)
      : error
  }
}

/** Client errors that ask for another attempt: a timeout of the server, and too many requests. */
const RETRIED: readonly number[] = [408, 429]

/** Whether an error is the server's refusal, of which only the status is readable: a 401 with a web page. */
function isRefusal({ code, httpStatus = 0 }: NorthkeyError): boolean {
  const isClientError = httpStatus >= 400 && httpStatus < 500 && !RETRIED.includes(httpStatus)
  return isClientError && code === 'invalid_response'
}

async function sendRevocation(request: RevocationRequest, effects: Effects): Promise<void> {
  const { metadata, clientId, token } = request
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
  if (response.status >= 200 && response.status < 300) return
  throw errorFromResponse(response, ENDPOINT, effects.now(), [token])
}
