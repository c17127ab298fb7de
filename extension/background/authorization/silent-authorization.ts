/**
 * Authorizes without a window (silent authorization): sends `prompt=none` through
 * `identity.launchWebAuthFlow`, with the same redirect URI. It succeeds if the operator recognizes the
 * subscriber by a session or by the access network, and has stored the authorization.
 *
 * An attempt waits for no other operator, except for its turn in `web-auth-flow.ts`.
 *
 * @see OpenID Connect Core section 3.1.2.1
 */

import { toProviderError } from '../../../shared/core/error-mapping.ts'
import {
  beginAuthorization,
  type NorthkeyError,
  receiveAuthorizationResponse,
  redeemCode,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { type ApiAccess, ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { SILENT_AUTHORIZATION_TIMEOUT_MS, SILENT_TURN_TIMEOUT_MS } from '../../limits.ts'
import { getClientKey, getRedirectUri } from '../clients/clients.ts'
import { getFlowDpopKey } from '../clients/dpop.ts'
import type { AuthorizationResult } from '../grants/authorization-result.ts'
import { revokeUnused } from '../grants/token-records.ts'
import { forgetMetadata } from '../operators/metadata-cache.ts'
import { discoverServer } from '../operators/operator-discovery.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { BrokerError } from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { launchWithoutWindow } from './web-auth-flow.ts'

export interface SilentRequest {
  server: OperatorProfile
  origin: string
  clientId: string
  apis: ApiAccess[]
  /** The id of the key to which the tokens are bound. */
  keyId: string
  metadata?: ServerMetadata
  loginHint?: string | undefined
  /** Whether the response must have an ID token. */
  idToken?: boolean | undefined
}

/** Tells whether an error means that the operator has to ask the user. */
export function needsInteraction(error: unknown): boolean {
  const { code } = error instanceof BrokerError ? error : toProviderError(error)
  return code === ERROR_CODE.interactionRequired || code === ERROR_CODE.notOnMobileNetwork
}

/**
 * Tells whether a window may succeed after a silent attempt that failed: the operator has to ask the
 * user, or responded with an error page instead of a redirect.
 */
export function windowMayHelp(error: unknown): boolean {
  const unanswered = error instanceof BrokerError && error.data.error === 'network_error'
  return unanswered || needsInteraction(error)
}

/**
 * Maps `login_required` to `not_on_mobile_network` for an operator that recognizes subscribers by its
 * network.
 */
function explainFailure(error: unknown, server: OperatorProfile): unknown {
  const { error: code } = error as Partial<NorthkeyError>
  if (!server.networkAuthentication || code !== 'login_required') return error
  return new BrokerError(
    ERROR_CODE.notOnMobileNetwork,
    'not_on_mobile_network',
    'the operator knows its subscribers by the mobile network, and this device is not on it',
  )
}

/** @throws BrokerError or NorthkeyError; {@link windowMayHelp} tells whether a window may succeed. */
export async function authorizeSilently(request: SilentRequest): Promise<AuthorizationResult> {
  const { server, origin, clientId, apis, keyId, loginHint, idToken } = request
  try {
    const metadata = request.metadata ?? (await discoverServer(server))
    const effects = createEffects(getServerOrigins(server))
    const dpop = await getFlowDpopKey(server, metadata, keyId)
    const clientKey = await getClientKey(server, origin)
    const { flow, authorizationUrl } = await beginAuthorization(
      {
        server,
        metadata,
        clientId,
        redirectUri: await getRedirectUri(server.issuer),
        apis,
        deadlineMs: Date.now() + SILENT_TURN_TIMEOUT_MS + 2 * SILENT_AUTHORIZATION_TIMEOUT_MS,
        offlineAccess: true,
        prompt: 'none',
        loginHint,
        idToken,
        dpop,
        clientKey,
      },
      effects,
    )
    const redirect = await launchWithoutWindow(server.issuer, authorizationUrl)
    const redeemable = receiveAuthorizationResponse(flow, redirect, Date.now())
    const tokens = await redeemCode(redeemable, effects, {
      dpop,
      clientKey,
      onTokensRejected: (rejected) =>
        revokeUnused({ issuer: server.issuer, origin, clientId }, keyId, {
          tokens: rejected,
          metadata,
        }),
    })
    return { tokens, metadata }
  } catch (error) {
    // The operator may have moved: the next flow asks for its metadata.
    if (!needsInteraction(error)) await forgetMetadata(server.issuer).catch(() => {})
    throw explainFailure(error, server)
  }
}
