/**
 * Authorizes without a window (silent authorization): sends `prompt=none` through
 * `identity.launchWebAuthFlow`, with the same redirect URI. It succeeds if the operator recognizes the
 * subscriber by a session or by the access network, and has stored the authorization.
 *
 * @see OpenID Connect Core section 3.1.2.1
 */

import browser from 'webextension-polyfill'
import { toProviderError } from '../../../shared/core/error-mapping.ts'
import {
  beginAuthorization,
  discover,
  type NorthkeyError,
  receiveAuthorizationResponse,
  redeemCode,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { type ApiAccess, ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { SILENT_AUTHORIZATION_TIMEOUT_MS } from '../../limits.ts'
import { getClientKey, getRedirectUri } from '../clients/clients.ts'
import { getFlowDpopKey } from '../clients/dpop.ts'
import type { AuthorizationResult } from '../grants/authorization-result.ts'
import { revokeUnused } from '../grants/token-records.ts'
import {
  BrokerError,
  interactionRequired,
  timedOut,
  unreachable,
} from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'

/**
 * Chromium's error message without a response. Any other error means that the operator showed a page
 * for the user.
 */
const UNREACHABLE = /could not be loaded/

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

/** Runs the attempts one after the other: browsers run a single `launchWebAuthFlow` at a time. */
const runInAttemptQueue = createSerialQueue()

async function launchWebAuthFlow(url: string): Promise<string> {
  const needsUser = () => interactionRequired('the operator has to ask the user something')
  // Firefox for Android has neither `identity` nor `launchWebAuthFlow`.
  const identity = browser.identity as typeof browser.identity | undefined
  if (!identity?.launchWebAuthFlow) throw needsUser()
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    const message = 'the operator did not answer an authorization without a window in time'
    timer = setTimeout(() => reject(timedOut(message)), SILENT_AUTHORIZATION_TIMEOUT_MS)
  })
  const redirect = identity
    .launchWebAuthFlow({ url, interactive: false })
    .catch((error: unknown) => {
      throw UNREACHABLE.test(String(error)) ? unreachable() : needsUser()
    })
  try {
    return await Promise.race([redirect, timeout])
  } finally {
    clearTimeout(timer)
  }
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
export function authorizeSilently(request: SilentRequest): Promise<AuthorizationResult> {
  return runInAttemptQueue(async () => {
    const { server, origin, clientId, apis, keyId, loginHint, idToken } = request
    try {
      const metadata = request.metadata ?? (await discover(server, createEffects()))
      const dpop = await getFlowDpopKey(server, metadata, keyId)
      const clientKey = await getClientKey(server, origin)
      const { flow, authorizationUrl } = await beginAuthorization(
        {
          server,
          metadata,
          clientId,
          redirectUri: await getRedirectUri(server.issuer),
          apis,
          deadlineMs: Date.now() + 2 * SILENT_AUTHORIZATION_TIMEOUT_MS,
          offlineAccess: true,
          prompt: 'none',
          loginHint,
          idToken,
          dpop,
          clientKey,
        },
        createEffects(),
      )
      const redeemable = receiveAuthorizationResponse(
        flow,
        await launchWebAuthFlow(authorizationUrl),
        Date.now(),
      )
      const tokens = await redeemCode(redeemable, createEffects(), {
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
      throw explainFailure(error, server)
    }
  })
}
