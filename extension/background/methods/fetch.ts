/**
 * `northbound_fetch`: the broker makes the call, the token stays here. Only under a granted resource,
 * with a method that the API allows; no cookies, no redirects, only what a page may send and see, at
 * most 5 MiB each way.
 *
 * @see RFC 6750 section 2.1, RFC 9449 section 7, RFC 9470 section 3
 */

import { camaraProofClaims, type ResourceDemand } from '../../../shared/core/index.ts'
import type { ApiAccess, FetchParams, FetchResult } from '../../../shared/messages/page-api.ts'
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
import { canonicalUrl } from '../api-calls/resource-url.ts'
import { needsInteraction, windowMayHelp } from '../authorization/silent-authorization.ts'
import { extendGrant } from '../grants/grants.ts'
import { dropAccessToken, getDpopKey, getRequiredProofClaims } from '../grants/token-records.ts'
import { findApi } from '../operators/operators.ts'
import { invalidParams, toErrorObject } from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { recordLogEntry } from '../platform/log.ts'
import { accessTokenOf } from '../tokens/token-renewal.ts'
import type { Call } from './page-call.ts'
import { renewWithUser } from './user-interaction.ts'

function checkBody(body: FetchParams['body'], method: string): void {
  if (body === undefined) return
  if (method === 'GET') throw invalidParams('body: expected none with GET')
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  if (bytes.byteLength > MAX_BODY_BYTES) throw invalidParams('body: expected at most 5 MiB')
}

/** The tokens of a grant for one resource; with a window where one is needed and may be opened. */
function createTokenSource(
  call: Call,
  { grant, access }: CallTarget,
  interactive: boolean,
): TokenSource {
  const { resource } = access
  async function current() {
    try {
      return await accessTokenOf(grant, resource)
    } catch (error) {
      if (!interactive || !windowMayHelp(error)) throw error
      await renewWithUser(call, grant)
      return accessTokenOf(grant, resource)
    }
  }
  return {
    currentToken: current,
    async replaceToken({ accessToken }) {
      await dropAccessToken(grant.grantId, resource, accessToken)
      return current()
    },
    dpopKey: () => getDpopKey(grant),
  }
}

/** The grant's APIs with the scope that the API wants, if the operator offers it and it is more. */
function widenScope(
  { grant, access, operator }: CallTarget,
  scope: string,
): ApiAccess[] | undefined {
  const words = new Set([...access.scope.split(' '), ...scope.split(' ')])
  const wider = { ...access, scope: [...words].join(' ') }
  if (wider.scope === access.scope || !findApi(operator, access.resource, wider.scope)) {
    return undefined
  }
  return grant.apis.map((api) => (api === access ? wider : api))
}

/**
 * Takes the user to what an API wants: another authentication, or more scope with consent.
 *
 * @returns Whether there was anything to ask.
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
  const wider = widenScope(target, demand.scope)
  if (wider) await renewWithUser(call, grant, {}, wider)
  return wider !== undefined
}

type CheckedFetchParams = FetchParams & { method: string }

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
    url,
    method,
    headers: requestHeaders(headers),
    body,
    rules,
    deliver: call.deliver,
  }
  const tokens = createTokenSource(call, target, interactive === 'ifNeeded')
  if (grant.tokenType !== 'DPoP') return callApi(request, tokens, createEffects(call.signal))
  const query = new URL(url).search.slice(1)
  const proofClaims = await camaraProofClaims(await getRequiredProofClaims(grant), { body, query })
  return callApi({ ...request, proofClaims }, tokens, createEffects(call.signal))
}

/** Where the API wants more and the user may be asked, once more with what the user gave. */
async function sendCallWithStepUp(
  call: Call,
  target: CallTarget,
  params: CheckedFetchParams,
): Promise<ApiAnswer> {
  try {
    return await sendCall(call, target, params)
  } catch (error) {
    const ask = params.interactive === 'ifNeeded' && error instanceof InsufficientAuthorization
    if (!ask) throw error
    try {
      if (!(await meetDemand(call, target, error.demand))) throw error
    } catch (refusal) {
      throw needsInteraction(refusal) ? error : refusal
    }
    const renewed = await findTarget(call.origin, new URL(params.url), target.grant.grantId)
    return sendCall(call, renewed, params)
  }
}

/** @throws BrokerError or NorthkeyError. What the API answers is a result, unless the contract says else. */
export async function fetchApi(call: Call, params: FetchParams): Promise<FetchResult> {
  const url = canonicalUrl(params.url)
  const target = await findTarget(call.origin, url, params.grantId)
  const method = (params.method ?? 'GET').toUpperCase()
  requireMethod(target.api, method, 'method')
  checkBody(params.body, method)
  const about = { ...target.grant, apis: [target.access] }
  try {
    await extendGrant(target.grant)
    const answer = await sendCallWithStepUp(call, target, { ...params, url: url.href, method })
    recordLogEntry('call', `${method} ${answer.status}`, about)
    const { status, statusText, body } = answer
    return { url: url.href, status, statusText, headers: responseHeaders(answer.headers), body }
  } catch (error) {
    recordLogEntry('call', `${method} ${toErrorObject(error).data.error}`, about)
    throw error
  }
}
