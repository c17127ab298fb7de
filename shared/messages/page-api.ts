/**
 * Provider convention, version 1: the messages between a page and a token broker.
 *
 * These types are the contract; the broker, the scripts in a page and the client for pages (`northkey/page`)
 * are all type-checked against them. Discovery follows EIP-6963, calls follow EIP-1193, and the terms are those
 * of OAuth 2.0 and 3GPP.
 */

export const PROTOCOL = '1'

export const ANNOUNCE_EVENT = 'northbound:announceProvider'
export const REQUEST_EVENT = 'northbound:requestProvider'

/** `fetch`: the broker makes the calls and keeps the token. `token`: the page gets access tokens. */
export type Mode = 'fetch' | 'token'

/** One northbound API in a request. */
export interface ApiRequest {
  /** Base URL of the API. */
  resource: string
  /**
   * OAuth scope string of that API (RFC 6749 section 3.3, TS 29.222 table 8.5.4.2.6-1). Absent for an API that has
   * no scope.
   */
  scope?: string
  /** A W3C DPV term, `dpv:FraudPreventionAndDetection`. */
  purpose?: string
}

/** One northbound API in a grant. */
export interface ApiAccess extends ApiRequest {
  /** The granted scope, as the server stated it. An empty string if no scope was requested, and none stated. */
  scope: string
}

export interface Grant {
  grantId: string
  issuer: string
  clientId: string
  mode: Mode
  apis: ApiAccess[]
  /**
   * Pairwise handle of the subscriber: stable for this origin, never a GPSI. Without an ID token of the operator
   * it stands for the authorization, and a new authorization brings another handle.
   */
  subject: string
  tokenType: 'Bearer' | 'DPoP'
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  expiresAt: number
}

export interface GetInfoParams {
  /** Issuer whose redirect URI the page wants to know. */
  issuer?: string
}

export interface BrokerInfo {
  protocol: typeof PROTOCOL
  version: string
  features: string[]
  /** The part of the redirect URIs that is the same for each issuer. */
  redirectUris: string[]
  /** The whole redirect URI for the issuer of the call, if that operator knows this origin. */
  redirectUri?: string
}

export interface ConnectParams {
  issuer: string
  apis: ApiRequest[]
  mode?: Mode
  clientId?: string
  reason?: string
  loginHint?: string
}

export type Interactive = 'never' | 'ifNeeded'

export interface GetAccessTokenParams {
  grantId?: string
  resource?: string
  scope?: string
  interactive?: Interactive
  minValiditySeconds?: number
  /** Access token that an API has refused: the page wants another one. @see RFC 6750 section 3.1, `invalid_token` */
  refused?: string
}

export interface AccessToken {
  accessToken: string
  tokenType: 'Bearer' | 'DPoP'
  /** Epoch milliseconds. */
  expiresAt: number
  scope: string
  resource: string
  grantId: string
}

export interface FetchParams {
  url: string
  method?: string
  headers?: Record<string, string>
  body?: string | ArrayBuffer
  grantId?: string
  interactive?: Interactive
}

export interface FetchResult {
  url: string
  status: number
  statusText: string
  headers: [name: string, value: string][]
  body: ArrayBuffer
}

export interface CreateProofParams {
  grantId: string
  htm: string
  htu: string
  body?: string | ArrayBuffer
  query?: string
  /**
   * Access token that the request will carry, whose hash is in the proof. Without it, the token that the page got
   * last for this API. @see RFC 9449 section 4.2, `ath`
   */
  accessToken?: string
  /** The `DPoP-Nonce` of the API's response. @see RFC 9449 section 9 */
  nonce?: string
}

export interface RevokeParams {
  grantId?: string
}

export interface RevokeResult {
  revoked: string[]
  /** Grants that ended, but whose tokens are not revoked at the server yet. The broker retries. */
  pending: string[]
}

/** All methods with the types of their parameters and results. */
export interface ProviderMethods {
  broker_getInfo: { params: GetInfoParams | undefined; result: BrokerInfo }
  northbound_connect: { params: ConnectParams; result: Grant }
  northbound_getGrants: { params: undefined; result: Grant[] }
  northbound_getAccessToken: { params: GetAccessTokenParams | undefined; result: AccessToken }
  northbound_fetch: { params: FetchParams; result: FetchResult }
  northbound_createProof: { params: CreateProofParams; result: { dpop: string } }
  northbound_revoke: { params: RevokeParams | undefined; result: RevokeResult }
}

export type ProviderMethod = keyof ProviderMethods

export interface ProviderEvents {
  grantsChanged: { grants: Grant[] }
  grantRevoked: { grantId: string; by: 'user' | 'network' | 'page'; cause?: string }
  /** The grant has ended by its own time, its `expiresAt`. */
  grantExpired: { grantId: string }
  disconnect: Record<string, never>
}

export type ProviderEvent = keyof ProviderEvents

export interface ProviderInfo {
  uuid: string
  name: string
  rdns: string
  icon: string
  version: string
  protocol: typeof PROTOCOL
}

/** Parameters of a method; of a method outside of this contract, any object. */
type ParamsOf<M extends string> = M extends ProviderMethod
  ? ProviderMethods[M]['params']
  : object | undefined

/** Result of a method; of a method outside of this contract, `unknown`. */
type ResultOf<M extends string> = M extends ProviderMethod ? ProviderMethods[M]['result'] : unknown

/** Arguments of `request`. `params` has to be there where the method has a parameter that has to be there. */
export type RequestArguments<M extends string = string> = {
  method: M
  signal?: AbortSignal
} & (undefined extends ParamsOf<M> ? { params?: ParamsOf<M> } : { params: ParamsOf<M> })

export interface Provider {
  request<M extends string>(args: RequestArguments<M>): Promise<ResultOf<M>>
  on<E extends ProviderEvent>(event: E, listener: (payload: ProviderEvents[E]) => void): void
  removeListener<E extends ProviderEvent>(
    event: E,
    listener: (payload: ProviderEvents[E]) => void,
  ): void
}

export interface ProviderDetail {
  readonly info: Readonly<ProviderInfo>
  readonly provider: Provider
}

/** Error numbers of section 4 of the contract, by meaning. */
export const ERROR_CODE = {
  accessDenied: 4001,
  noGrant: 4100,
  unsupportedMethod: 4200,
  interactionRequired: 4210,
  insufficientAuthorization: 4220,
  notOnMobileNetwork: 4230,
  rateLimited: 4290,
  untrustedResponse: 4300,
  authorizationServerError: 4310,
  brokerGone: 4900,
  unreachable: 4901,
  alreadyPending: -32002,
  forbiddenContext: -32600,
  invalidParams: -32602,
  internalError: -32603,
} as const

export type ErrorCode = (typeof ERROR_CODE)[keyof typeof ERROR_CODE]

/** The `data` member of a `ProviderError`. */
export interface ProviderErrorData {
  /** The server's registered `error` if the server sent one, else the broker's. */
  error: string
  errorDescription?: string
  httpStatus?: number
  retryAfterSeconds?: number
}

/** A `ProviderError` as it crosses a border, as a plain object: a cloned `Error` would lose its code and data. */
export interface ProviderErrorObject {
  code: ErrorCode
  message: string
  data: ProviderErrorData
}
