/**
 * One call of an API with an access token: sent, judged, and sent once more where a new token may
 * help. What the API answers otherwise is a result, whatever its status.
 *
 * Border: whether the call may be made at all has been decided before.
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
import { retryAfter } from '../../../shared/oauth/error-response.ts'
import { API_CALL_TIMEOUT_MS } from '../../limits.ts'
import type { CallRules } from './call-rules.ts'
import { readBody } from './response-body.ts'

export interface ApiToken {
  accessToken: string
  tokenType: 'Bearer' | 'DPoP'
  /** Serves one call: it is neither shared nor tried again. */
  singleUse: boolean
}

export interface TokenSource {
  currentToken(): Promise<ApiToken>
  /** A token in the place of one that the API refused. */
  replaceToken(refused: ApiToken): Promise<ApiToken>
  /** The key of a token that is bound to one. */
  dpopKey(): Promise<DpopKey | undefined>
}

export interface ApiCall {
  url: string
  method: string
  headers: Headers
  body?: string | ArrayBuffer | undefined
  rules: CallRules
  /** Claims of a profile for the proof of this very request. */
  proofClaims?: Readonly<Record<string, string>>
  /** Takes the parts of a large body as they come; what the answer holds is then the last one. */
  deliver?: (part: ArrayBuffer) => void
}

export interface ApiAnswer {
  status: number
  statusText: string
  headers: Headers
  body: ArrayBuffer
}

/** Errors are short; a longer body is the page's to read. */
const ERROR_BODY_BYTES = 64 * 1024

/** The API wants another authentication or more scope than the token has. */
export class InsufficientAuthorization extends NorthkeyError {
  readonly demand: ResourceDemand

  constructor(code: NorthkeyErrorCode, httpStatus: number, demand: ResourceDemand) {
    super(code, 'the API wants more than this authorization gives', { error: code, httpStatus })
    this.demand = demand
  }
}

async function sendCall(
  call: ApiCall,
  token: ApiToken,
  tokens: TokenSource,
  effects: Effects,
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
      ...(token.tokenType === 'DPoP' && { dpop: await tokens.dpopKey(), proofClaims }),
    },
    { ...effects, timeoutMs: API_CALL_TIMEOUT_MS },
  )
  const abort = effects.signal ?? new AbortController().signal
  const { ok, status, statusText, headers: received } = response
  // An answer that may lead to another call is read to its end before any of it is handed over.
  const deliver = ok && !received.has('www-authenticate') ? call.deliver : undefined
  const read = await readBody(response, abort, deliver)
  return { status, statusText, headers: received, body: read }
}

function readDemand({ headers }: ApiAnswer, { tokenType }: ApiToken): Promise<ResourceDemand> {
  return judgeChallenges(headers.get('www-authenticate'), tokenType)
}

/** The error of an answer that is more than a result. */
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
    // The second no to a token: the page gets the API's own words.
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
  const refused =
    answer.status === 401 && (demand.kind === 'none' || demand.kind === 'invalid_token')
  if (refused && !token.singleUse) {
    token = await tokens.replaceToken(token)
    answer = await sendCall(call, token, tokens, effects)
    demand = await readDemand(answer, token)
  }
  const failure = toCallError(answer, demand, call.rules, effects.now())
  if (failure) throw failure
  return answer
}
