/**
 * State machine of one authorization. Each state has only its own data: the code verifier exists while a
 * response is awaited and until the code is sent. From the moment of sending, the state has neither code nor
 * verifier. Every state is a plain JSON value, so that a flow can be stored at any point and resumed after a
 * restart of the program.
 *
 *     awaitingRequestUri ─▶ awaitingAuthorizationResponse ─▶ readyToRedeem ─▶ awaitingTokenResponse ─▶ authorized
 *               └──────────────────────┴───────────────────────┴───────────────────┴──────▶ failed
 *
 * Border: pure functions. Events carry the time; the callers send the requests.
 */

import type { ApiAccess } from '../messages/page-api.ts'
import type { Binding } from '../oauth/access-token-response.ts'
import { validateAuthorizationResponse } from '../oauth/authorization-response.ts'
import { NorthkeyError, type NorthkeyErrorObject } from '../oauth/error.ts'
import type { IdTokenClaims } from '../oauth/id-token.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import type { ServerConfig } from '../profiles/profile.ts'
import type { CodeVerifier } from './pkce.ts'

/** Data that a flow keeps from beginning to end. The metadata is the snapshot that it began with. */
export interface FlowContext {
  readonly server: ServerConfig
  readonly issuer: string
  readonly metadata: ServerMetadata
  readonly clientId: string
  readonly redirectUri: string
  readonly apis: readonly ApiAccess[]
  /** The requested scope. An empty string if the request has none. */
  readonly scope: string
  readonly deadlineMs: number
  readonly nonce?: string
  readonly maxAge?: number
  /** Thumbprint of the key that the code is bound to. */
  readonly dpopJkt?: string
  readonly binding: Binding
}

interface Pending extends FlowContext {
  readonly state: string
  readonly codeVerifier: CodeVerifier
}

/** The request is being pushed (RFC 9126); the user has not been asked yet. */
export interface AwaitingRequestUri extends Pending {
  readonly name: 'awaitingRequestUri'
}

/** The user is at the authorization server. */
export interface AwaitingAuthorizationResponse extends Pending {
  readonly name: 'awaitingAuthorizationResponse'
}

declare const isValidated: unique symbol

/** The response is validated; its code has not been sent yet. Only {@link transition} makes this state. */
export interface RedeemableFlow extends Pending {
  readonly name: 'readyToRedeem'
  readonly callbackUrl: string
  readonly [isValidated]: true
}

/** The code is being sent, or was sent: it is not sent again. */
export interface AwaitingTokenResponse extends FlowContext {
  readonly name: 'awaitingTokenResponse'
}

/** The tokens that the server issued for one resource. Plain JSON, but never passed to a page. */
export interface TokenSet {
  readonly accessToken: string
  readonly tokenType: 'Bearer' | 'DPoP'
  /** Epoch milliseconds. `UNSTATED_EXPIRY_MS` if the server states no life: the API alone ends the token then. */
  readonly expiresAtMs: number
  /** The granted scope. An empty string if none was requested, and the server stated none. */
  readonly scope: string
  /** The requested resource, if the authorization request named resources. */
  readonly resource?: string
  readonly refreshToken?: string
  readonly idTokenClaims?: IdTokenClaims
  /** `sub` of the ID token. */
  readonly subject?: string
  /** The access token is for one call and must not be stored. */
  readonly singleUse: boolean
}

export interface AuthorizedFlow {
  readonly name: 'authorized'
  readonly issuer: string
  readonly clientId: string
  readonly tokens: TokenSet
}

export interface FailedFlow {
  readonly name: 'failed'
  readonly issuer: string
  readonly clientId: string
  readonly error: NorthkeyErrorObject
}

export type FlowState =
  | AwaitingRequestUri
  | AwaitingAuthorizationResponse
  | RedeemableFlow
  | AwaitingTokenResponse
  | AuthorizedFlow
  | FailedFlow

export type RequestUriReceived = { readonly type: 'requestUriReceived' }
export type RedirectReceived = {
  readonly type: 'redirectReceived'
  readonly url: string
  readonly now: number
}
export type CodeSent = { readonly type: 'codeSent'; readonly now: number }
export type TokensReceived = { readonly type: 'tokensReceived'; readonly tokens: TokenSet }
export type Failed = { readonly type: 'failed'; readonly error: NorthkeyErrorObject }
/** The program has restarted and found the stored flow. */
export type Resumed = { readonly type: 'resumed'; readonly now: number }

export type FlowEvent =
  | RequestUriReceived
  | RedirectReceived
  | CodeSent
  | TokensReceived
  | Failed
  | Resumed

type Running = Exclude<FlowState, AuthorizedFlow | FailedFlow>

/** Returns the next state. An event that a state does not accept fails to compile, and throws at run time. */
export function transition(
  state: AwaitingRequestUri,
  event: RequestUriReceived,
): AwaitingAuthorizationResponse
export function transition(
  state: AwaitingAuthorizationResponse,
  event: RedirectReceived,
): RedeemableFlow | FailedFlow
export function transition(
  state: RedeemableFlow,
  event: CodeSent,
): AwaitingTokenResponse | FailedFlow
export function transition(state: AwaitingTokenResponse, event: TokensReceived): AuthorizedFlow
export function transition(state: Running, event: Failed): FailedFlow
export function transition<S extends Running>(state: S, event: Resumed): S | FailedFlow
export function transition(state: FlowState, event: FlowEvent): FlowState {
  switch (event.type) {
    case 'requestUriReceived':
      if (state.name !== 'awaitingRequestUri') break
      return { ...state, name: 'awaitingAuthorizationResponse' }
    case 'redirectReceived':
      if (state.name !== 'awaitingAuthorizationResponse') break
      return receiveRedirect(state, event)
    case 'codeSent':
      if (state.name !== 'readyToRedeem') break
      if (event.now > state.deadlineMs) return failFlow(state, flowExpired())
      return { ...contextOf(state), name: 'awaitingTokenResponse' }
    case 'tokensReceived':
      if (state.name !== 'awaitingTokenResponse') break
      return {
        name: 'authorized',
        issuer: state.issuer,
        clientId: state.clientId,
        tokens: event.tokens,
      }
    case 'failed':
      if (state.name === 'authorized' || state.name === 'failed') break
      return failFlow(state, NorthkeyError.from(event.error))
    case 'resumed':
      if (state.name === 'authorized' || state.name === 'failed') break
      return resumeFlow(state, event.now)
  }
  throw misplacedEvent(event.type, state)
}

/** Throws for a flow without a code, or after its deadline. */
export function requireRedeemable(state: FlowState, now: number): void {
  if (state.name !== 'readyToRedeem') throw misplacedEvent('codeSent', state)
  if (now > state.deadlineMs) throw flowExpired()
}

function receiveRedirect(
  state: AwaitingAuthorizationResponse,
  { url, now }: RedirectReceived,
): RedeemableFlow | FailedFlow {
  if (now > state.deadlineMs) return failFlow(state, flowExpired())
  try {
    validateAuthorizationResponse(state, url)
  } catch (error) {
    return failFlow(state, error as NorthkeyError)
  }
  return { ...state, name: 'readyToRedeem', callbackUrl: url } as RedeemableFlow
}

function resumeFlow(state: Running, now: number): Running | FailedFlow {
  if (state.name === 'awaitingRequestUri' || state.name === 'awaitingTokenResponse') {
    return failFlow(
      state,
      new NorthkeyError('flow_interrupted', 'the program ended while a server was being asked'),
    )
  }
  return now > state.deadlineMs ? failFlow(state, flowExpired()) : state
}

function failFlow(state: Running, error: NorthkeyError): FailedFlow {
  return {
    name: 'failed',
    issuer: state.issuer,
    clientId: state.clientId,
    error: error.toJSON(),
  }
}

function misplacedEvent(type: FlowEvent['type'], state: FlowState): NorthkeyError {
  return new NorthkeyError('internal_error', `"${type}" has no place in "${state.name}"`)
}

function flowExpired(): NorthkeyError {
  return new NorthkeyError('flow_expired', 'the response came after the deadline of the flow')
}

function contextOf(state: RedeemableFlow): FlowContext {
  const {
    name: _name,
    state: _state,
    codeVerifier: _codeVerifier,
    callbackUrl: _callbackUrl,
    ...context
  } = state
  return context
}
