/**
 * Client for pages: finds a token broker by the provider convention and offers its methods by name. A page can
 * use a broker without this client, and this client works with any broker: it uses only the convention's events
 * and `request`, and holds no secret.
 *
 * Border: the page's own world. It trusts a provider as much as the page trusts its other scripts.
 */

import {
  ANNOUNCE_EVENT,
  type FetchParams,
  PROTOCOL,
  type Provider,
  type ProviderDetail,
  type ProviderErrorObject,
  type ProviderInfo,
  type ProviderMethod,
  type ProviderMethods,
  REQUEST_EVENT,
} from '../messages/page-api.ts'
import type { Broker, CallOptions } from './broker.ts'
import { readRequestBody } from './request-body.ts'
import { toResponse } from './response.ts'

export * from '../messages/page-api.ts'
export type * from './broker.ts'
export * from './fetch-with-token.ts'

declare global {
  interface WindowEventMap {
    'northbound:announceProvider': CustomEvent<ProviderDetail>
    'northbound:requestProvider': Event
  }
}

export interface FindOptions {
  /** Time to wait for an announcement, in milliseconds. Default: 500. */
  timeoutMs?: number
  /** Selects a broker if several announce themselves. Default: the first. */
  filter?: (info: Readonly<ProviderInfo>) => boolean
}

/**
 * Finds the broker of this browser. Resolves with `undefined` if there is none for this page, and at once outside of a
 * page: in a worker, and in a server that renders pages.
 */
export function findBroker({
  timeoutMs = 500,
  filter = () => true,
}: FindOptions = {}): Promise<Broker | undefined> {
  if (typeof document === 'undefined') return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const settle = (broker?: Broker) => {
      clearTimeout(timer)
      removeEventListener(ANNOUNCE_EVENT, handleAnnouncement)
      resolve(broker)
    }
    const handleAnnouncement = (event: Event) => {
      const detail = (event as CustomEvent<Partial<ProviderDetail> | null>).detail
      const { info, provider } = detail ?? {}
      if (info?.protocol === PROTOCOL && provider && filter(info))
        settle(createBroker(info, provider))
    }
    const timer = setTimeout(settle, timeoutMs)
    addEventListener(ANNOUNCE_EVENT, handleAnnouncement)
    dispatchEvent(new Event(REQUEST_EVENT))
  })
}

function createBroker(info: Readonly<ProviderInfo>, provider: Provider): Broker {
  const createMethod =
    <M extends ProviderMethod>(name: M) =>
    (params?: object, { signal }: CallOptions = {}) =>
      provider.request<string>({
        method: name,
        ...(params && { params }),
        ...(signal && { signal }),
      }) as Promise<ProviderMethods[M]['result']>
  const getInfo = createMethod('broker_getInfo')
  const getGrants = createMethod('northbound_getGrants')
  const fetch = createMethod('northbound_fetch')
  return {
    info,
    provider,
    getInfo: ({ issuer, ...options } = {}) =>
      getInfo(issuer === undefined ? undefined : { issuer }, options),
    connect: createMethod('northbound_connect'),
    getGrants: (options) => getGrants(undefined, options),
    getAccessToken: createMethod('northbound_getAccessToken'),
    createProof: createMethod('northbound_createProof'),
    revoke: createMethod('northbound_revoke'),
    async fetch(input, { grantId, interactive, ...init } = {}) {
      const request = new Request(input, init)
      // The signal of the new request follows that of `init` and that of a given Request.
      const { signal } = request
      signal.throwIfAborted()
      const body = await readRequestBody(request)
      const params: FetchParams = {
        url: request.url,
        method: request.method,
        headers: Object.fromEntries(request.headers),
        ...(body && { body }),
        ...(grantId && { grantId }),
        ...(interactive && { interactive }),
      }
      return toResponse(await fetch(params, { signal }))
    },
    on(event, listener) {
      provider.on(event, listener)
      return () => provider.removeListener(event, listener)
    },
  }
}

/** Whether the reason of a rejected call is an error of the convention, with its `code` and `data`. */
export function isProviderError(error: unknown): error is Error & ProviderErrorObject {
  const { code, data } = (error ?? {}) as Partial<ProviderErrorObject>
  return typeof code === 'number' && typeof data?.error === 'string'
}
