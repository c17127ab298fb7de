/**
 * Redeems an authorization code, once. A caller that stores flows first stores
 * `transition(flow, { type: 'codeSent', … })`: that record has neither code nor verifier, so that the code
 * cannot be sent again after a restart.
 */

import { requestAccessToken } from '../oauth/access-token-request.ts'
import type { AccessTokenResponse } from '../oauth/access-token-response.ts'
import { validateAuthorizationResponse } from '../oauth/authorization-response.ts'
import type { ClientKey } from '../oauth/client-authentication.ts'
import { type DpopKey, requireDpopKey } from '../oauth/dpop.ts'
import type { Effects } from '../oauth/effects.ts'
import { NorthkeyError, withOwnErrors } from '../oauth/error.ts'
import { type IdTokenClaims, validateIdToken } from '../oauth/id-token.ts'
import { profileOf } from '../profiles/index.ts'
import { authenticationOf } from './client.ts'
import { withExplanation } from './explain-error.ts'
import { type RedeemableFlow, requireRedeemable, type TokenSet } from './flow.ts'
import { requestedResources } from './request-contents.ts'
import { type OnTokensRejected, validateTokenResponse } from './validate-token-response.ts'

/** Keys for the token request. The caller passes them, since the record of a flow does not contain keys. */
export interface FlowKeys {
  dpop?: DpopKey | undefined
  clientKey?: ClientKey | undefined
  /** GPSI of the resource owner, for a CAPIF core that requires it. */
  gpsi?: string | undefined
}

export interface RedeemOptions extends FlowKeys {
  /**
   * Gets the tokens of a response that is invalid, or whose ID token is missing or invalid, so that the caller
   * revokes them. The error is thrown afterwards.
   */
  onTokensRejected?: OnTokensRejected | undefined
}

/**
 * Sends code and verifier to the token endpoint of the flow's own metadata, and validates the response.
 * @see RFC 6749 section 4.1.3, RFC 7636 section 4.5, OpenID Connect Core section 3.1.3
 */
export function redeemCode(
  flow: RedeemableFlow,
  effects: Effects,
  options: RedeemOptions = {},
): Promise<TokenSet> {
  return withOwnErrors(() => withExplanation(flow, () => sendCode(flow, effects, options)))
}

async function sendCode(
  flow: RedeemableFlow,
  effects: Effects,
  { onTokensRejected, ...keys }: RedeemOptions,
): Promise<TokenSet> {
  requireRedeemable(flow, effects.now())
  const { server, metadata, clientId } = flow
  const profile = profileOf(server)
  const dpop = flow.binding === 'none' ? undefined : keys.dpop
  await requireDpopKey(flow.dpopJkt, dpop)
  const [resource] = requestedResources(server, flow.apis)
  // Validated again: the record that contains the redirect may come from any storage.
  const parameters = validateAuthorizationResponse(flow, flow.callbackUrl)
  const shape = profile.codeRequest(parameters.get('code') ?? '', server.capif, keys.gpsi)
  const response = await requestAccessToken(
    {
      metadata,
      clientId,
      authentication: authenticationOf(server, keys.clientKey),
      dpop,
      successStatuses: profile.successStatuses,
      additionalParameters: shape.add,
      omittedParameters: shape.omit,
      parameters,
      redirectUri: flow.redirectUri,
      codeVerifier: flow.codeVerifier,
      resources: resource === undefined ? [] : [resource],
    },
    effects,
  )
  const expected = { requestedScope: flow.scope, binding: flow.binding, now: effects.now() }
  const tokenResponse = await validateTokenResponse(response, expected, onTokensRejected, [
    parameters.get('code') ?? undefined,
    flow.codeVerifier,
  ])
  const tokens: TokenSet = {
    accessToken: tokenResponse.accessToken,
    tokenType: tokenResponse.tokenType,
    expiresAtMs: tokenResponse.expiresAtMs,
    scope: tokenResponse.scope,
    singleUse: profile.isSingleUse(tokenResponse.scope),
    ...(resource !== undefined && { resource }),
    ...(tokenResponse.refreshToken !== undefined &&
      profile.refreshTokens && { refreshToken: tokenResponse.refreshToken }),
  }
  if (flow.nonce === undefined) return tokens
  try {
    const claims = await validateRequiredIdToken(tokenResponse, flow, flow.nonce, effects)
    return { ...tokens, idTokenClaims: claims, subject: claims.sub }
  } catch (error) {
    await onTokensRejected?.(tokens)
    throw error
  }
}

/** @throws NorthkeyError `invalid_id_token` also for a response without ID token. */
async function validateRequiredIdToken(
  { idToken, accessToken }: AccessTokenResponse,
  { metadata, clientId, maxAge }: RedeemableFlow,
  nonce: string,
  effects: Effects,
): Promise<IdTokenClaims> {
  if (idToken === undefined) {
    throw new NorthkeyError('invalid_id_token', 'the ID token must be there when openid is asked')
  }
  return validateIdToken(idToken, { metadata, clientId, accessToken, nonce, maxAge }, effects)
}
