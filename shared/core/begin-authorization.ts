/**
 * Begins an authorization flow: creates its secrets (state, nonce, PKCE pair), fixes the data that must not
 * change, and builds the authorization URL.
 */

import type { ApiRequest } from '../messages/page-api.ts'
import type { Binding } from '../oauth/access-token-response.ts'
import {
  authorizationParameters,
  authorizationUrl,
  type Prompt,
} from '../oauth/authorization-request.ts'
import type { ClientKey } from '../oauth/client-authentication.ts'
import { type DpopKey, dpopThumbprint } from '../oauth/dpop.ts'
import type { Effects } from '../oauth/effects.ts'
import { NorthkeyError, withOwnErrors } from '../oauth/error.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import { pushAuthorizationRequest } from '../oauth/pushed-authorization-request.ts'
import { requireScope, scopeWords } from '../oauth/scope.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'
import { authenticationOf, requireSameIssuer } from './client.ts'
import { withExplanation } from './explain-error.ts'
import { type AwaitingAuthorizationResponse, type AwaitingRequestUri, transition } from './flow.ts'
import { type CodeChallenge, createPkcePair, randomValue } from './pkce.ts'
import { requestedResources, scopeOptionsOf } from './request-contents.ts'

export interface BeginAuthorization {
  server: ServerConfig
  metadata: ServerMetadata
  clientId: string
  redirectUri: string
  /** An API without `scope` adds none to the request. @see RFC 6749 section 3.3 */
  apis: readonly ApiRequest[]
  /** Epoch milliseconds. A response after this time is rejected. */
  deadlineMs: number
  /**
   * Whether to request `offline_access`. Default: as `offlineAccess` of the server's profile says. The profile `capif`
   * has no refresh tokens.
   */
  offlineAccess?: boolean
  /**
   * Whether the response must have an ID token. Default: as the `openid` of the server's profile says. The
   * profile `camara` always requires one.
   */
  idToken?: boolean | undefined
  prompt?: Prompt | undefined
  loginHint?: string | undefined
  acrValues?: string | undefined
  maxAge?: number | undefined
  /** DPoP key of this grant. It is used if server and operator profile allow DPoP. */
  dpop?: DpopKey | undefined
  /** Key for `private_key_jwt`. */
  clientKey?: ClientKey | undefined
}

export interface BegunAuthorization {
  /** To be stored before the URL is opened. */
  flow: AwaitingAuthorizationResponse
  authorizationUrl: string
}

/**
 * Prepares an authorization request, and pushes it if the server requires or offers that.
 * @see RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 9126 section 2
 */
export function beginAuthorization(
  request: BeginAuthorization,
  effects: Effects,
): Promise<BegunAuthorization> {
  return withOwnErrors(async () => {
    const { server, clientId, redirectUri } = request
    requireSameIssuer(server, request.metadata)
    const profile = profileOf(server)
    const metadata = profile.metadataFor(request.metadata, server, clientId)
    const binding = bindingOf(server, metadata, request.dpop)
    const dpop = binding === 'none' ? undefined : request.dpop
    const apis = request.apis.map((api) => ({
      ...api,
      scope: api.scope === undefined ? '' : requireScope(api.scope),
    }))
    const options = scopeOptionsOf(server, metadata)
    const scope = profile.authorizationScope(apis, {
      offlineAccess: (request.offlineAccess ?? options.offlineAccess) && profile.refreshTokens,
      idToken: request.idToken === true || options.idToken,
    })
    const { codeVerifier, codeChallenge } = await createPkcePair()
    const pending: AwaitingRequestUri = {
      name: 'awaitingRequestUri',
      server: flowServer(server),
      issuer: server.issuer,
      metadata,
      clientId,
      redirectUri,
      apis,
      scope,
      deadlineMs: request.deadlineMs,
      binding,
      state: randomValue(),
      codeVerifier,
      ...(scopeWords(scope).includes('openid') && { nonce: randomValue() }),
      ...(request.maxAge !== undefined && { maxAge: request.maxAge }),
      ...(dpop && { dpopJkt: await dpopThumbprint(dpop) }),
    }
    const parameters = parametersOf(pending, codeChallenge, request)
    const sent = isPushed(server, metadata)
      ? await withExplanation(pending, () =>
          pushAuthorizationRequest(
            {
              metadata,
              clientId,
              authentication: authenticationOf(server, request.clientKey),
              parameters,
              dpop,
            },
            effects,
          ),
        )
      : parameters
    return {
      flow: transition(pending, { type: 'requestUriReceived' }),
      authorizationUrl: authorizationUrl(metadata.authorization_endpoint, sent),
    }
  })
}

function parametersOf(
  flow: AwaitingRequestUri,
  codeChallenge: CodeChallenge,
  request: BeginAuthorization,
): URLSearchParams {
  return authorizationParameters({
    clientId: flow.clientId,
    redirectUri: flow.redirectUri,
    scope: flow.scope,
    state: flow.state,
    codeChallenge,
    resources: requestedResources(flow.server, flow.apis),
    nonce: flow.nonce,
    prompt: request.prompt,
    loginHint: request.loginHint,
    acrValues: request.acrValues,
    maxAge: request.maxAge,
    dpopJkt: flow.dpopJkt,
  })
}

/** The members of an operator profile that a flow stores. */
function flowServer(server: ServerConfig): ServerConfig {
  const { issuer, profile, clientAuthentication, assertionAudience, dpop, capif } = server
  const { resourceIndicators } = server
  return {
    issuer,
    profile,
    ...(clientAuthentication !== undefined && { clientAuthentication }),
    ...(assertionAudience !== undefined && { assertionAudience }),
    ...(dpop !== undefined && { dpop }),
    ...(resourceIndicators !== undefined && { resourceIndicators }),
    ...(capif !== undefined && { capif }),
  }
}

/** The binding of the token to the key, from profile, operator and metadata. @see RFC 9449 section 5 */
export function bindingOf(
  server: ServerConfig,
  metadata: ServerMetadata,
  key: DpopKey | undefined,
): Binding {
  const profile = profileOf(server)
  const policy = profile.dpop ? (server.dpop ?? 'when_offered') : 'never'
  const offered = metadata.dpop_signing_alg_values_supported?.includes('ES256') === true
  if (policy === 'required') {
    if (key !== undefined) return 'required'
    throw new NorthkeyError('key_mismatch', '"dpop" must be there: the operator requires it')
  }
  if (policy === 'never' || key === undefined || !offered) return 'none'
  return profile.acceptsBearerForDpop ? 'preferred' : 'required'
}

/** Whether a request is pushed, from operator profile and metadata. @see RFC 9126 */
export function isPushed(server: ServerConfig, metadata: ServerMetadata): boolean {
  switch (server.pushedAuthorizationRequests ?? 'when_offered') {
    case 'required':
      return true
    case 'never':
      return false
    case 'when_offered':
      return metadata.pushed_authorization_request_endpoint !== undefined
  }
}
