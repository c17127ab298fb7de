/**
 * Implements `northbound_fetch`: the broker calls the API, and the page never gets the token. The URL
 * has to be under a granted resource, and the API has to allow the HTTP method. A call has no cookies
 * and follows no redirect. Header fields pass by an allow list in both directions, and a body has at
 * most 5 MiB.
 *
 * An API that requires more (step-up authentication, more scope) is called once more after the user has
 * given it, if the page allows a window.
 *
 * Border: `api-calls/` makes the call and judges the response.
 *
 * @see RFC 6750 section 2.1, RFC 9449 section 7, RFC 9470 section 3
 */

import { camaraProofClaims, type ResourceDemand } from '../../../shared/core/index.ts'
import type { ApiAccess, FetchParams, FetchResult } from '../../../shared/messages/page-api.ts'
import { joinScopes } from '../../../shared/oauth/scope.ts'
import {
  type ApiAnswer,
  callApi,
  InsufficientAuthorization,
  type TokenSource,
} from '../api-calls/api-call.ts'
import { MAX_BODY_BYTES } from '../api-calls/body-limit.ts'
import { requestHeaders, responseHeaders } from '../api-calls/call-headers.ts'
import { CALL_RULES } from '../api-calls/call-rules.ts'
import { type CallTarget, findTarget, requireMethod } from '../api-calls/call-target.ts'
import { parseCallUrl } from '../api-calls/resource-url.ts'
import { needsInteraction, windowMayHelp } from '../authorization/silent-authorization.ts'
import { runWithGrant } from '../grants/grant-use.ts'
import { extendGrant } from '../grants/grants.ts'
import { dropAccessToken, getDpopKey, getRequiredProofClaims } from '../grants/token-records.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { findApi } from '../operators/operators.ts'
import { invalidParams, toErrorObject } from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { describeCause } from '../platform/error-cause.ts'
import { recordLogEntry } from '../platform/log.ts'
import { obtainAccessToken } from '../tokens/token-renewal.ts'
import type { Call } from './page-call.ts'
import { renewWithUser } from './user-interaction.ts'

function checkBody(body: FetchParams['body'], method: string): void {
  if (body === undefined) return
  if (method === 'GET') throw invalidParams('body: expected none with GET')
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  if (bytes.byteLength > MAX_BODY_BYTES) throw invalidParams('body: expected at most 5 MiB')
}

/**
 * Supplies the access tokens of a grant for an API. It opens a window where that is needed and allowed.
 */
function createTokenSource(
  call: Call,
  { grant, access }: CallTarget,
  interactive: boolean,
): TokenSource {
  const { resource } = access
  async function currentToken() {
    try {
      return await obtainAccessToken(grant, resource)
    } catch (error) {
      if (!interactive || !windowMayHelp(error)) throw error
      await renewWithUser(call, grant)
      return obtainAccessToken(grant, resource)
    }
  }
  return {
    currentToken,
    async replaceToken({ accessToken }) {
      await dropAccessToken(grant.grantId, resource, accessToken)
      return currentToken()
    },
    dpopKey: ({ accessToken }) => getDpopKey(grant, accessToken),
  }
}

/**
 * Adds the scope that an API requires to the APIs of the grant.
 *
 * @returns `undefined` if the scope is not more than before, or the operator does not offer it.
 */
function widenScope(
  { grant, access, operator }: CallTarget,
  scope: string,
): ApiAccess[] | undefined {
  const wider = { ...access, scope: joinScopes(access.scope, scope) }
  if (wider.scope === access.scope || !findApi(operator, access.resource, wider.scope)) {
    return undefined
  }
  return grant.apis.map((api) => (api === access ? wider : api))
}

/**
 * Renews the grant with the user for what an API requires: another authentication, or more scope with
 * consent.
 *
 * @returns `false` if the user cannot meet the demand: then no window has opened.
 */
async function meetDemand(
  call: Call,
  target: CallTarget,
  demand: ResourceDemand,
): Promise<boolean> {
  const { grant, operator } = target
  if (demand.kind === 'insufficient_user_authentication') {
    const { acrValues, maxAgeSeconds } = demand
    await renewWithUser(call, grant, {
      ...(acrValues !== undefined && CALL_RULES[operator.profile].acrValues && { acrValues }),
      ...(maxAgeSeconds !== undefined && { maxAge: maxAgeSeconds }),
    })
    return true
  }
  if (demand.kind !== 'insufficient_scope' || demand.scope === undefined) return false
  const widerApis = widenScope(target, demand.scope)
  if (widerApis) await renewWithUser(call, grant, {}, widerApis)
  return widerApis !== undefined
}

type CheckedFetchParams = FetchParams & { method: string }

/** Sends a call with the rules of the operator's profile, and with a proof for tokens of type DPoP. */
async function sendCall(
  call: Call,
  target: CallTarget,
  params: CheckedFetchParams,
): Promise<ApiAnswer> {
  const { access, grant, operator } = target
  const { url, method, headers, body, interactive } = params
  const rules = CALL_RULES[operator.profile]
  rules.checkBody(body instanceof ArrayBuffer ? new TextDecoder().decode(body) : body, access.scope)
  const request = {
    origin: call.origin,
    url,
    method,
    headers: requestHeaders(headers),
    body,
    rules,
    deliver: call.deliver,
  }
  const tokens = createTokenSource(call, target, interactive === 'ifNeeded')
  const effects = createEffects(getServerOrigins(operator), call.signal)
  if (grant.tokenType !== 'DPoP') return callApi(request, tokens, effects)
  const query = new URL(url).search.slice(1)
  const proofClaims = await camaraProofClaims(await getRequiredProofClaims(grant), { body, query })
  return callApi({ ...request, proofClaims }, tokens, effects)
}

/**
 * Sends a call. If the API requires more and the page allows a window, asks the user and sends it once
 * more.
 */
async function sendCallWithStepUp(
  call: Call,
  target: CallTarget,
  params: CheckedFetchParams,
): Promise<ApiAnswer> {
  try {
    return await sendCall(call, target, params)
  } catch (error) {
    const mayAsk = params.interactive === 'ifNeeded' && error instanceof InsufficientAuthorization
    if (!mayAsk) throw error
    try {
      if (!(await meetDemand(call, target, error.demand))) throw error
    } catch (renewalError) {
      throw needsInteraction(renewalError) ? error : renewalError
    }
    const renewed = await findTarget(call.origin, new URL(params.url), target.grant.grantId)
    return sendCall(call, renewed, params)
  }
}

/**
 * Calls an API for a page. A response is a result, whatever its status, unless the page contract makes
 * an error of it (`api-calls/api-call.ts`).
 *
 * @throws BrokerError or NorthkeyError
 */
export async function fetchApi(call: Call, params: FetchParams): Promise<FetchResult> {
  const url = parseCallUrl(params.url, 'url')
  const target = await findTarget(call.origin, url, params.grantId)
  const method = (params.method ?? 'GET').toUpperCase()
  requireMethod(target.api, method, 'method')
  checkBody(params.body, method)
  const about = { ...target.grant, apis: [target.access] }
  try {
    const { resource } = target.access
    const answer = await runWithGrant(target.grant, { resource }, call.signal, async (signal) => {
      await extendGrant(target.grant)
      const checked = { ...params, url: url.href, method }
      return sendCallWithStepUp({ ...call, signal }, target, checked)
    })
    recordLogEntry('call', `${method} ${answer.status}`, about)
    const { status, statusText, body } = answer
    return { url: url.href, status, statusText, headers: responseHeaders(answer.headers), body }
  } catch (error) {
    const failure = toErrorObject(error)
    const detail = describeCause(failure)
    recordLogEntry('call', `${method} ${failure.data.error}`, { ...about, detail })
    throw error
  }
}
