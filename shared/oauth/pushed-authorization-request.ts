/** Pushed authorization request. Each `request_uri` is used once. @see RFC 9126 */

import { allowInsecureRequests, customFetch, pushedAuthorizationRequest } from 'oauth4webapi'
import { type ClientAuthenticationOptions, clientAuthentication } from './client-authentication.ts'
import { type DpopKey, dpopHandle, withNonceRetry } from './dpop.ts'
import { type Effects, protocolClient } from './effects.ts'
import { NorthkeyError } from './error.ts'
import { errorFromResponse } from './error-response.ts'
import { sendByLibrary } from './http.ts'
import { readJsonObject } from './json-response.ts'
import { requireEndpoint, type ServerMetadata } from './metadata.ts'
import { isRequestUri } from './opaque-values.ts'

const ENDPOINT = 'pushed authorization request endpoint'

export interface PushedRequest {
  metadata: ServerMetadata
  clientId: string
  authentication: ClientAuthenticationOptions
  parameters: URLSearchParams
  dpop?: DpopKey | undefined
}

/**
 * Pushes the parameters. Returns the parameters for the browser: `client_id` and `request_uri`.
 * @see RFC 9126 sections 2.1, 2.2 and 4
 */
export async function pushAuthorizationRequest(
  request: PushedRequest,
  effects: Effects,
): Promise<URLSearchParams> {
  const { metadata, clientId, dpop } = request
  const url = requireEndpoint(metadata, 'pushed_authorization_request_endpoint', effects)
  const client = protocolClient(clientId, effects)
  const response = await withNonceRetry(dpop, url, () =>
    sendByLibrary(
      (send) =>
        pushedAuthorizationRequest(
          metadata,
          client,
          clientAuthentication(
            request.authentication,
            metadata,
            'pushed_authorization_request_endpoint',
          ),
          new URLSearchParams(request.parameters),
          {
            ...(dpop && { DPoP: dpopHandle(dpop, url, effects) }),
            [allowInsecureRequests]: effects.allowInsecureLoopback === true,
            [customFetch]: send,
          },
        ),
      ENDPOINT,
      effects,
    ),
  )
  if (response.status !== 201) throw errorFromResponse(response, ENDPOINT, effects.now())
  const { request_uri, expires_in } = readJsonObject(response, ENDPOINT)
  if (!isRequestUri(request_uri)) {
    throw new NorthkeyError('invalid_response', `${ENDPOINT}: "request_uri" must be a URI`)
  }
  if (!(Number(expires_in) > 0)) {
    throw new NorthkeyError(
      'invalid_response',
      `${ENDPOINT}: "expires_in" must be a number of seconds`,
    )
  }
  return new URLSearchParams({ client_id: clientId, request_uri })
}
