/** The code against tokens. A code is sent once: what the network swallows is not sent again. */

import { authorizationCodeGrantRequest } from 'oauth4webapi'
import { type ExpectedResponse, validateAuthorizationResponse } from './authorization-response.ts'
import type { Effects } from './effects.ts'
import type { Answer } from './http.ts'
import { requestTokens, type TokenEndpointContext } from './token-endpoint.ts'

export interface AccessTokenRequest extends TokenEndpointContext {
  expected: ExpectedResponse
  /** The redirect as it arrived; it is judged again, so that no other way leads to a request. */
  callbackUrl: string
  codeVerifier: string
  resources?: readonly string[]
}

/** Sends code and verifier. @see RFC 6749 section 4.1.3, RFC 7636 section 4.5, RFC 8707 section 2.2 */
export async function requestAccessToken(
  request: AccessTokenRequest,
  effects: Effects,
): Promise<Answer> {
  const { codeVerifier } = request
  const parameters = validateAuthorizationResponse(request.expected, request.callbackUrl)
  const code = parameters.get('code') ?? ''
  const additionalParameters = new URLSearchParams(request.additionalParameters)
  for (const resource of request.resources ?? []) additionalParameters.append('resource', resource)
  return requestTokens(
    request,
    (client, authentication, options) =>
      authorizationCodeGrantRequest(
        request.metadata,
        client,
        authentication,
        parameters,
        request.expected.redirectUri,
        codeVerifier,
        { ...options, additionalParameters },
      ),
    [code, codeVerifier],
    effects,
  )
}
