/**
 * Token request with an authorization code. A code is sent once: it is not sent again when the network loses
 * the request or its response.
 */

import { authorizationCodeGrantRequest } from 'oauth4webapi'
import type { ValidatedParameters } from './authorization-response.ts'
import type { Effects } from './effects.ts'
import type { ServerResponse } from './server-response.ts'
import { requestTokens, type TokenEndpointContext } from './token-endpoint.ts'

export interface AccessTokenRequest extends TokenEndpointContext {
  /** Of the redirect. Only its validation makes this type, so that no unchecked code reaches the request. */
  parameters: ValidatedParameters
  redirectUri: string
  codeVerifier: string
  /** Form parameters that a profile adds. */
  additionalParameters?: Readonly<Record<string, string>> | undefined
  resources?: readonly string[]
}

/** Sends the code and the code verifier. @see RFC 6749 section 4.1.3, RFC 7636 section 4.5, RFC 8707 section 2.2 */
export function requestAccessToken(
  request: AccessTokenRequest,
  effects: Effects,
): Promise<ServerResponse> {
  const { codeVerifier, parameters, redirectUri } = request
  const code = parameters.get('code') ?? ''
  const additionalParameters = new URLSearchParams(request.additionalParameters)
  for (const resource of request.resources ?? []) additionalParameters.append('resource', resource)
  return requestTokens(
    request,
    additionalParameters,
    (client, authentication, options) =>
      authorizationCodeGrantRequest(
        request.metadata,
        client,
        authentication,
        parameters,
        redirectUri,
        codeVerifier,
        options,
      ),
    [code, codeVerifier],
    effects,
  )
}
