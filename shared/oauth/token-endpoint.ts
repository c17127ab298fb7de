/**
 * Common part of all requests to the token endpoint: client authentication, DPoP proof, limits, the single
 * retry with a nonce, and error responses. @see RFC 6749 sections 3.2 and 5
 */

import { allowInsecureRequests, customFetch, type DPoPHandle } from 'oauth4webapi'
import { TOKEN_ENDPOINT } from './access-token-response.ts'
import { type ClientAuthenticationOptions, clientAuthentication } from './client-authentication.ts'
import { type DpopKey, dpopHandle, withNonceRetry } from './dpop.ts'
import { type Effects, protocolClient } from './effects.ts'
import { errorFromResponse } from './error-response.ts'
import { sendByLibrary } from './http.ts'
import { requireEndpoint, type ServerMetadata } from './metadata.ts'
import type { ServerResponse } from './server-response.ts'

export interface TokenEndpointContext {
  metadata: ServerMetadata
  clientId: string
  authentication: ClientAuthenticationOptions
  dpop?: DpopKey | undefined
  /** Success statuses besides 200; some CAPIF cores send 201. */
  successStatuses?: readonly number[] | undefined
  /** Form parameters that a profile omits. */
  omittedParameters?: readonly string[] | undefined
}

/** Options of one request in the form of oauth4webapi. */
export interface GrantOptions {
  additionalParameters: URLSearchParams
  DPoP?: DPoPHandle
  [allowInsecureRequests]?: boolean
  [customFetch]?: (
    url: string,
    init: { method: string; headers: Record<string, string>; body: URLSearchParams },
  ) => Promise<Response>
}

/**
 * Sends a grant and returns the successful response, or throws the server's error.
 * @param secrets Values that are removed from the server's text.
 */
export async function requestTokens(
  context: TokenEndpointContext,
  additionalParameters: URLSearchParams,
  grant: (
    client: ReturnType<typeof protocolClient>,
    authentication: ReturnType<typeof clientAuthentication>,
    options: GrantOptions,
  ) => Promise<Response>,
  secrets: readonly string[],
  effects: Effects,
): Promise<ServerResponse> {
  const { metadata, clientId, dpop } = context
  const url = requireEndpoint(metadata, 'token_endpoint', effects)
  const client = protocolClient(clientId, effects)
  const response = await withNonceRetry(dpop, url, () =>
    sendByLibrary(
      (send) =>
        grant(client, clientAuthentication(context.authentication, metadata, 'token_endpoint'), {
          additionalParameters,
          ...(dpop && { DPoP: dpopHandle(dpop, url, effects) }),
          [allowInsecureRequests]: effects.allowInsecureLoopback === true,
          [customFetch]: (target, init) => {
            for (const name of context.omittedParameters ?? []) init.body.delete(name)
            return send(target, init)
          },
        }),
      TOKEN_ENDPOINT,
      effects,
    ),
  )
  if (response.status === 200 || context.successStatuses?.includes(response.status)) return response
  throw errorFromResponse(response, TOKEN_ENDPOINT, effects.now(), secrets)
}
