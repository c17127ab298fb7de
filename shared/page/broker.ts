/** Types a broker as the client for pages offers it. */

import type {
  AccessToken,
  BrokerInfo,
  ConnectParams,
  CreateProofParams,
  FetchParams,
  GetAccessTokenParams,
  GetInfoParams,
  Grant,
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

/** A broker, with the methods of the convention and their types. */
export interface Broker {
  readonly info: Readonly<ProviderInfo>
  readonly provider: Provider
  /** Describes the broker. With an issuer that knows this origin, the result has the redirect URI for it. */
  getInfo(options?: CallOptions & GetInfoParams): Promise<BrokerInfo>
  /** Requests access. It may open a window, so it requires a user gesture. */
  connect(params: ConnectParams, options?: CallOptions): Promise<Grant>
  getGrants(options?: CallOptions): Promise<Grant[]>
  getAccessToken(params?: GetAccessTokenParams, options?: CallOptions): Promise<AccessToken>
  /** Calls a northbound API like `fetch`; the token stays with the broker. */
  fetch(input: RequestInfo | URL, init?: FetchOptions): Promise<Response>
  createProof(params: CreateProofParams, options?: CallOptions): Promise<{ dpop: string }>
  revoke(params?: RevokeParams, options?: CallOptions): Promise<RevokeResult>
  /** Adds a listener and returns the function that removes it. */
  on<E extends ProviderEvent>(event: E, listener: (payload: ProviderEvents[E]) => void): () => void
}
