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
  isNorthkeyError,
  type NorthkeyError,
  type NorthkeyErrorCode,
  receiveAuthorizationResponse,
  redeemCode,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { type ApiAccess, ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { SILENT_AUTHORIZATION_TIMEOUT_MS, SILENT_TURN_TIMEOUT_MS } from '../../limits.ts'
import { type ClientAtServer, runAsClient } from '../clients/client-retry.ts'
import { getClientKey, getRedirectUri } from '../clients/clients.ts'
import { getFlowDpopKey } from '../clients/dpop.ts'
import type { AuthorizationResult } from '../grants/authorization-result.ts'
import { revokeUnused } from '../grants/token-endings.ts'
import { forgetMetadata } from '../operators/metadata-cache.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { toApiRequest } from '../operators/operators.ts'
import { BrokerError, interactionRequired } from '../platform/broker-error.ts'
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

/** Errors that are an answer of the operator, also one that must not be trusted. */
const ANSWERS: readonly NorthkeyErrorCode[] = [
  'access_denied',
  'authorization_server_error',
  'insufficient_scope',
  'insufficient_user_authentication',
  'interaction_required',
  'invalid_id_token',
  'invalid_response',
  'invalid_token',
  'issuer_mismatch',
  'rate_limited',
  'state_mismatch',
  'token_type_mismatch',
]

/**
 * Tells whether a window may succeed after an attempt without one that failed. An authorization without a window is
 * optional: whatever the operator answers to it, in whatever form, the user may do better. OpenID Connect Core
 * section 3.1.2.1 lets a server refuse `prompt=none` without an `id_token_hint`. A window does not help where the
 * operator could not be reached at all, or the broker itself stopped the attempt.
 */
export function windowMayHelp(error: unknown): boolean {
  if (needsInteraction(error)) return true
  if (error instanceof BrokerError) {
    return error.data.error === 'network_error' || error.code === ERROR_CODE.untrustedResponse
  }
  return isNorthkeyError(error) && (ANSWERS.includes(error.code) || error.httpStatus !== undefined)
}

/**
 * Maps the refusal of an attempt without a window to `interaction_required`, since a window may succeed: an error
 * response of any kind, and the answer of a server that is no error response. An answer that must not be trusted
 * stays what it is, and so does a server that is not available for the moment.
 */
export function toInteractionRequired(error: unknown): unknown {
  if (!isNorthkeyError(error) || needsInteraction(error)) return error
  const { code, error: word, httpStatus = 0 } = error
  const isAvailable = code !== 'network_error' && code !== 'timeout' && code !== 'rate_limited'
  const isRefusal = isAvailable && (word !== undefined || httpStatus >= 400)
  if (!isRefusal) return error
  return interactionRequired(
    `the operator refused to go on without the user (${word ?? `HTTP status ${httpStatus}`})`,
  )
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

/** Sends the requests of one attempt. */
async function attempt(
  { server, origin, apis, keyId, loginHint, idToken }: SilentRequest,
  { metadata, clientId }: ClientAtServer,
): Promise<AuthorizationResult> {
  const effects = createEffects(getServerOrigins(server))
  const dpop = await getFlowDpopKey(server, metadata, keyId)
  const clientKey = await getClientKey(server, origin)
  const { flow, authorizationUrl } = await beginAuthorization(
    {
      server,
      metadata,
      clientId,
      redirectUri: await getRedirectUri(server.issuer),
      apis: apis.map((api) => toApiRequest(server, api)),
      deadlineMs: Date.now() + SILENT_TURN_TIMEOUT_MS + 2 * SILENT_AUTHORIZATION_TIMEOUT_MS,
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
  return { tokens, metadata, clientId }
}

/** @throws BrokerError or NorthkeyError; {@link windowMayHelp} tells whether a window may succeed. */
export async function authorizeSilently(request: SilentRequest): Promise<AuthorizationResult> {
  const { server, origin, clientId, metadata } = request
  try {
    return await runAsClient(
      server,
      origin,
      clientId,
      (client) => attempt(request, client),
      metadata,
    )
  } catch (error) {
    // The operator may have moved: the next flow asks for its metadata.
    if (!needsInteraction(error)) await forgetMetadata(server.issuer).catch(() => {})
    throw explainFailure(error, server)
  }
}
