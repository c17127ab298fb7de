/** Token request with a refresh token. @see RFC 6749 section 6 */

import { refreshTokenGrantRequest } from 'oauth4webapi'
import type { Effects } from './effects.ts'
import type { ServerResponse } from './server-response.ts'
import { requestTokens, type TokenEndpointContext } from './token-endpoint.ts'

export interface RefreshRequest extends TokenEndpointContext {
  refreshToken: string
  scope?: string | undefined
  resource?: string | undefined
}

/**
 * Sends the refresh token. A refresh token that is sent twice may end the grant at a server with rotation, so
 * the caller records that it is being sent before it calls this function.
 */
export function requestRefresh(request: RefreshRequest, effects: Effects): Promise<ServerResponse> {
  const { refreshToken, scope, resource } = request
  const additionalParameters = new URLSearchParams()
  if (scope !== undefined) additionalParameters.set('scope', scope)
  if (resource !== undefined) additionalParameters.set('resource', resource)
  return requestTokens(
    request,
    additionalParameters,
    (client, authentication, options) =>
      refreshTokenGrantRequest(request.metadata, client, authentication, refreshToken, options),
    [refreshToken],
    effects,
  )
}
