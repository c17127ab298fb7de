/**
 * Calls an API with an access token and judges the response. After a 401 that rejects the token, the
 * call is retried once with a new token. A challenge for step-up authentication or more scope, a 429,
 * and the errors in `call-rules.ts` become an error of the broker. Any other response is a result,
 * whatever its status.
 *
 * Border: `call-target.ts` has decided before that the grant allows the call.
 *
 * @see RFC 6750 section 3, RFC 9449 section 7, RFC 9470 section 3
 */

import {
  type DpopKey,
  type Effects,
  judgeChallenges,
  NorthkeyError,
  type NorthkeyErrorCode,
  type ResourceDemand,
  requestResource,
} from '../../../shared/core/index.ts'
import { retryAfter } from '../../../shared/oauth/retry-after.ts'
import { API_CALL_TIMEOUT_MS } from '../../limits.ts'
import type { CallRules } from './call-rules.ts'
import { waitForLargeBody, waitForSlot } from './call-slots.ts'
import { readBody } from './response-body.ts'

export interface ApiToken {
  accessToken: string
  tokenType: 'Bearer' | 'DPoP'
  /** The token is valid for a single call: it is neither shared nor retried. */
  singleUse: boolean
}

export interface TokenSource {
  currentToken(): Promise<ApiToken>
  /** A new token in place of a token that the API rejected. */
  replaceToken(rejected: ApiToken): Promise<ApiToken>
  /** The DPoP key to which a token is bound, if there is one. */
  dpopKey(token: ApiToken): Promise<DpopKey | undefined>
}

export interface ApiCall {
  /** The page's origin, whose calls share slots. */
  origin: string
  url: string
  method: string
  headers: Headers
  body?: string | ArrayBuffer | undefined
  rules: CallRules
  /** Additional claims that the operator profile requires in the DPoP proof of this request. */
  proofClaims?: Readonly<Record<string, string>>
  /**
   * Takes the parts of a large response body as they arrive. The body of the answer is then the last
   * part.
   */
  deliver?: (part: ArrayBuffer) => void
}

export interface ApiAnswer {
  status: number
  statusText: string
  headers: Headers
  body: ArrayBuffer
}

/** Longest body, in bytes, that is read as an error of the API. */
const ERROR_BODY_BYTES = 64 * 1024

/** The API requires another authentication or more scope than the token has. */
export class InsufficientAuthorization extends NorthkeyError {
  readonly demand: ResourceDemand

  constructor(code: NorthkeyErrorCode, httpStatus: number, demand: ResourceDemand) {
    super(code, 'the API wants more than this authorization gives', { error: code, httpStatus })
    this.demand = demand
  }
}

/** Sends the call once it has a slot, and reads the response in it. */
async function sendCall(
  call: ApiCall,
  token: ApiToken,
  tokens: TokenSource,
  effects: Effects,
): Promise<ApiAnswer> {
  const signal = effects.signal ?? new AbortController().signal
  const release = await waitForSlot(call.origin, signal)
  try {
    return await exchange(call, token, tokens, { ...effects, signal })
  } finally {
    release()
  }
}

/**
 * Sends the call once; a DPoP nonce that the API requires costs a second request (RFC 9449 section 9).
 */
async function exchange(
  call: ApiCall,
  token: ApiToken,
  tokens: TokenSource,
  effects: Effects & { signal: AbortSignal },
): Promise<ApiAnswer> {
  const { url, method, headers, body, proofClaims } = call
  const response = await requestResource(
    {
      url,
      method,
      headers,
      body,
      accessToken: token.accessToken,
      tokenType: token.tokenType,
      ...(token.tokenType === 'DPoP' && { dpop: await tokens.dpopKey(token), proofClaims }),
    },
    { ...effects, timeoutMs: API_CALL_TIMEOUT_MS },
  )
  const { ok, status, statusText, headers: received } = response
  // A response that may lead to a retry is read completely before the page gets any part of it.
  const deliver = ok && !received.has('www-authenticate') ? call.deliver : undefined
  const takeLargeBody = () => waitForLargeBody(call.origin, effects.signal)
  const responseBody = await readBody(response, effects.signal, takeLargeBody, deliver)
  return { status, statusText, headers: received, body: responseBody }
}

function readDemand({ headers }: ApiAnswer, { tokenType }: ApiToken): Promise<ResourceDemand> {
  return judgeChallenges(headers.get('www-authenticate'), tokenType)
}

/** The broker's error for a response, or `undefined` if the response is a result. */
function toCallError(
  { status, headers, body }: ApiAnswer,
  demand: ResourceDemand,
  rules: CallRules,
  now: number,
): NorthkeyError | undefined {
  switch (demand.kind) {
    case 'insufficient_scope':
    case 'insufficient_user_authentication':
      return new InsufficientAuthorization(demand.kind, status, demand)
    case 'use_dpop_nonce':
      return new NorthkeyError('invalid_response', 'the API asks for a nonce that it was given', {
        httpStatus: status,
      })
  }
  if (status < 400) return undefined
  const text = body.byteLength > ERROR_BODY_BYTES ? '' : new TextDecoder().decode(body)
  const code = status === 429 ? 'rate_limited' : rules.errorCode(status, text)
  switch (code) {
    // The new token was rejected too: the page gets the response of the API.
    case undefined:
    case 'invalid_token':
      return undefined
    case 'insufficient_scope':
      return new InsufficientAuthorization(code, status, { kind: code })
    default:
      return new NorthkeyError(code, 'the API refused the call', {
        httpStatus: status,
        retryAfterSeconds: retryAfter(headers.get('retry-after'), now),
      })
  }
}

/**
 * Calls the API, with one retry after a rejected token.
 *
 * @throws NorthkeyError `rate_limited`, `insufficient_scope`, `insufficient_user_authentication`,
 * `not_on_mobile_network`, `invalid_response`, `timeout`, `network_error`, or what the renewal of the
 * token threw.
 */
export async function callApi(
  call: ApiCall,
  tokens: TokenSource,
  effects: Effects,
): Promise<ApiAnswer> {
  let token = await tokens.currentToken()
  let answer = await sendCall(call, token, tokens, effects)
  let demand = await readDemand(answer, token)
  const isTokenRejected =
    answer.status === 401 && (demand.kind === 'none' || demand.kind === 'invalid_token')
  if (isTokenRejected && !token.singleUse) {
    token = await tokens.replaceToken(token)
    answer = await sendCall(call, token, tokens, effects)
    demand = await readDemand(answer, token)
  }
  const failure = toCallError(answer, demand, call.rules, effects.now())
  if (failure) throw failure
  return answer
}
