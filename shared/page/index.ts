/**
 * A small client for pages: finds a token broker by the provider convention and offers its methods by
 * name. Nothing here is needed to use a broker, and nothing here belongs to one broker: it speaks the
 * convention's events and `request` and knows no secret.
 *
 * Border: the page's own world. It trusts a provider as much as the page trusts its other scripts.
 */

import {
  type AccessToken,
  ANNOUNCE_EVENT,
  type BrokerInfo,
  type ConnectParams,
  type CreateProofParams,
  type FetchParams,
  type FetchResult,
  type GetAccessTokenParams,
  type Grant,
  PROTOCOL,
  type Provider,
  type ProviderDetail,
  type ProviderErrorObject,
  type ProviderEvent,
  type ProviderEvents,
  type ProviderInfo,
  type ProviderMethod,
  type ProviderMethods,
  REQUEST_EVENT,
  type RevokeParams,
  type RevokeResult,
} from '../messages/page-api.ts'

export type * from '../messages/page-api.ts'

/** What a call may carry besides its parameters. */
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
  getInfo(options?: CallOptions): Promise<BrokerInfo>
  /** Asks for access. It may open a window, so it wants a user gesture. */
  connect(params: ConnectParams, options?: CallOptions): Promise<Grant>
  getGrants(options?: CallOptions): Promise<Grant[]>
  getAccessToken(params: GetAccessTokenParams, options?: CallOptions): Promise<AccessToken>
  /** Calls a northbound API as `fetch` would; the token stays with the broker. */
  fetch(input: RequestInfo | URL, init?: FetchOptions): Promise<Response>
  createProof(params: CreateProofParams, options?: CallOptions): Promise<{ dpop: string }>
  revoke(params?: RevokeParams, options?: CallOptions): Promise<RevokeResult>
  /** Listens to an event and returns the function that stops it. */
  on<E extends ProviderEvent>(event: E, listener: (payload: ProviderEvents[E]) => void): () => void
}

export interface FindOptions {
  /** How long to wait for a broker that has not answered yet. Default: 500. */
  timeoutMs?: number
  /** Which broker to take where several answer. Default: the first. */
  filter?: (info: Readonly<ProviderInfo>) => boolean
}

/** The broker of this browser, or `undefined` where there is none for this page. */
export function findBroker({
  timeoutMs = 500,
  filter = () => true,
}: FindOptions = {}): Promise<Broker | undefined> {
  return new Promise((resolve) => {
    const settle = (broker?: Broker) => {
      clearTimeout(timer)
      removeEventListener(ANNOUNCE_EVENT, hear)
      resolve(broker)
    }
    const hear = (event: Event) => {
      const detail = (event as CustomEvent<Partial<ProviderDetail> | null>).detail
      const { info, provider } = detail ?? {}
      if (info?.protocol === PROTOCOL && provider && filter(info)) settle(wrap(info, provider))
    }
    const timer = setTimeout(settle, timeoutMs)
    addEventListener(ANNOUNCE_EVENT, hear)
    dispatchEvent(new Event(REQUEST_EVENT))
  })
}

function wrap(info: Readonly<ProviderInfo>, provider: Provider): Broker {
  const method =
    <M extends ProviderMethod>(name: M) =>
    (params?: object, { signal }: CallOptions = {}) =>
      provider.request({
        method: name,
        ...(params && { params }),
        ...(signal && { signal }),
      }) as Promise<ProviderMethods[M]['result']>
  const getInfo = method('broker_getInfo')
  const getGrants = method('northbound_getGrants')
  const fetch = method('northbound_fetch')
  return {
    info,
    provider,
    getInfo: (options) => getInfo(undefined, options),
    connect: method('northbound_connect'),
    getGrants: (options) => getGrants(undefined, options),
    getAccessToken: method('northbound_getAccessToken'),
    createProof: method('northbound_createProof'),
    revoke: method('northbound_revoke'),
    async fetch(input, { grantId, interactive, ...init } = {}) {
      const request = new Request(input, init)
      // Follows the signal of `init` and that of a Request.
      const { signal } = request
      signal.throwIfAborted()
      const body = await request.arrayBuffer()
      const params: FetchParams = {
        url: request.url,
        method: request.method,
        headers: Object.fromEntries(request.headers),
        ...(body.byteLength && { body }),
        ...(grantId && { grantId }),
        ...(interactive && { interactive }),
      }
      return toResponse(await fetch(params, { signal }))
    },
    on(event, listener) {
      const heard = listener as (payload: unknown) => void
      provider.on(event, heard)
      return () => provider.removeListener(event, heard)
    },
  }
}

function toResponse({ url, status, statusText, headers, body }: FetchResult): Response {
  // The statuses that a Response must not have a body with.
  const empty = status === 204 || status === 205 || status === 304
  const response = new Response(empty ? null : body, { status, statusText, headers })
  // A Response that was not fetched has no URL of its own.
  return Object.defineProperty(response, 'url', { value: url })
}

/** Whether what a call was rejected with is an error of the convention, with its `code` and `data`. */
export function isProviderError(error: unknown): error is Error & ProviderErrorObject {
  const { code, data } = (error ?? {}) as Partial<ProviderErrorObject>
  return typeof code === 'number' && typeof data?.error === 'string'
}
