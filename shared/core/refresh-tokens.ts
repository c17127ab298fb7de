/** Refreshes tokens. The caller makes sure that one refresh of a grant is in flight at a time. */

import type { ClientKey } from '../oauth/client-authentication.ts'
import type { DpopKey } from '../oauth/dpop.ts'
import type { Effects } from '../oauth/effects.ts'
import { NorthkeyError, withOwnErrors } from '../oauth/error.ts'
import { type IdTokenClaims, validateIdToken } from '../oauth/id-token.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import { requestRefresh } from '../oauth/refresh-request.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'
import { bindingOf } from './begin-authorization.ts'
import { authenticationOf, requireSameIssuer } from './client.ts'
import { withExplanation } from './explain-error.ts'
import type { TokenSet } from './flow.ts'
import { refreshScope, type WantedScope } from './refresh-scope.ts'
import { usesResourceIndicators } from './request-contents.ts'
import { type OnTokensRejected, validateTokenResponse } from './validate-token-response.ts'

export interface RefreshTokens extends WantedScope {
  server: ServerConfig
  metadata: ServerMetadata
  clientId: string
  refreshToken: string
  /** The resource of the tokens, if the authorization request named resources. @see RFC 8707 section 2.2 */
  resource?: string | undefined
  /** The key that the refresh token is bound to. */
  dpop?: DpopKey | undefined
  clientKey?: ClientKey | undefined
  /** Claims of the grant's first ID token. An ID token of a refresh must have the same subject. */
  idTokenClaims?: IdTokenClaims | undefined
  /**
   * Gets the tokens of a response that is invalid, or whose ID token is, so that the caller revokes them. The error
   * is thrown afterwards.
   */
  onTokensRejected?: OnTokensRejected | undefined
}

/**
 * Sends the refresh token and validates the response. The result contains the old refresh token if the server
 * issued no new one.
 * @see RFC 6749 section 6, RFC 9700 section 4.14, OpenID Connect Core section 12.2
 */
export function refreshTokens(request: RefreshTokens, effects: Effects): Promise<TokenSet> {
  return withOwnErrors(async () => {
    const { server, clientId } = request
    const profile = profileOf(server)
    requireSameIssuer(server, request.metadata)
    if (!profile.refreshTokens) {
      throw new NorthkeyError('unsupported_by_server', 'this profile has no refresh tokens')
    }
    const scope = refreshScope(request)
    const metadata = profile.metadataFor(request.metadata, server, clientId)
    const binding = bindingOf(server, metadata, request.dpop)
    const resource = usesResourceIndicators(server) ? request.resource : undefined
    const response = await withExplanation({ server, metadata }, () =>
      requestRefresh(
        {
          metadata,
          clientId,
          authentication: authenticationOf(server, request.clientKey),
          dpop: binding === 'none' ? undefined : request.dpop,
          refreshToken: request.refreshToken,
          scope,
          resource,
        },
        effects,
      ),
    )
    const tokenResponse = await validateTokenResponse(
      response,
      { requestedScope: scope ?? request.grantedScope ?? '', binding, now: effects.now() },
      request.onTokensRejected,
      [request.refreshToken],
    )
    const tokens: TokenSet = {
      accessToken: tokenResponse.accessToken,
      tokenType: tokenResponse.tokenType,
      expiresAtMs: tokenResponse.expiresAtMs,
      scope: tokenResponse.scope,
      singleUse: profile.isSingleUse(tokenResponse.scope),
      refreshToken: tokenResponse.refreshToken ?? request.refreshToken,
      ...(resource !== undefined && { resource }),
    }
    const { idTokenClaims: previous } = request
    if (previous === undefined) return tokens
    const { idToken, accessToken } = tokenResponse
    // A refresh without ID token is for the subscriber of the refresh token.
    if (idToken === undefined) return { ...tokens, idTokenClaims: previous, subject: previous.sub }
    try {
      const expected = { metadata, clientId, accessToken, previous }
      const claims = await validateIdToken(idToken, expected, effects)
      return { ...tokens, idTokenClaims: claims, subject: claims.sub }
    } catch (error) {
      await request.onTokensRejected?.(tokens)
      throw error
    }
  })
}
