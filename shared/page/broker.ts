/** Types a broker as the client for pages offers it. */

import type {
  AccessToken,
  BrokerInfo,
  ConnectParams,
  CreateProofParams,
  FetchParams,
  GetAccessTokenParams,
  Grant,
  Interactive,
  Provider,
  ProviderEvent,
  ProviderEvents,
  ProviderInfo,
  RevokeParams,
  RevokeResult,
} from '../messages/page-api.ts'

/** Options of a call besides its parameters. */
export interface CallOptions {
  signal?: AbortSignal | undefined
}

export interface FetchOptions extends Omit<RequestInit, 'headers'> {
  headers?: HeadersInit
  grantId?: string
  interactive?: FetchParams['interactive']
}

export interface TokenFetchOptions extends Omit<RequestInit, 'headers' | 'credentials' | 'redirect'> {
  headers?: HeadersInit
  grantId?: string
  /** Base URL of the API. Default: the longest granted resource above the URL. */
  resource?: string
  /** Part of the granted scope. */
  scope?: string
  interactive?: Interactive
}

/** A broker, with the methods of the convention and their types. */
export interface Broker {
  readonly info: Readonly<ProviderInfo>
  readonly provider: Provider
  getInfo(options?: CallOptions): Promise<BrokerInfo>
  /** Requests access. It may open a window, so it requires a user gesture. */
  connect(params: ConnectParams, options?: CallOptions): Promise<Grant>
  getGrants(options?: CallOptions): Promise<Grant[]>
  getAccessToken(params?: GetAccessTokenParams, options?: CallOptions): Promise<AccessToken>
  /** Calls a northbound API like `fetch`; the token stays with the broker. */
  fetch(input: RequestInfo | URL, init?: FetchOptions): Promise<Response>
  /**
   * Calls an API from the page itself, with an access token of a grant in mode `token`: with a proof and a nonce
   * where the token is of type DPoP, and with another token once the API has refused one.
   *
   * @throws ProviderError 4210 if the API refuses the renewed token too; a `TypeError` of `fetch`.
   */
  fetchWithToken(input: RequestInfo | URL, init?: TokenFetchOptions): Promise<Response>
  createProof(params: CreateProofParams, options?: CallOptions): Promise<{ dpop: string }>
  revoke(params?: RevokeParams, options?: CallOptions): Promise<RevokeResult>
  /** Adds a listener and returns the function that removes it. */
  on<E extends ProviderEvent>(event: E, listener: (payload: ProviderEvents[E]) => void): () => void
}
