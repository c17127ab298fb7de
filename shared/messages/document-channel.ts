/**
 * The border inside one document: the provider in the page's world and the content script in its own.
 * A private `MessagePort` joins them before any script of the page has run; nothing is broadcast. Each
 * message is a list: what was said in one turn goes together, but for a call that is alone. An empty
 * one asks whether anybody is there, or says so.
 */

import type { ProviderErrorObject, ProviderEvent } from './page-api.ts'

/** The content script says that it listens. */
export const CONTENT_READY_EVENT = 'northkey:ready'
/** The provider hands over its port. */
export const PORT_EVENT = 'northkey:port'

export interface PageCall {
  /** From 1 on. */
  id: number
  /** Of a call that may be joined the whole key, which has the parameters in it. */
  method: string
  /** `undefined` beside a key. */
  params: unknown
}

/** The page does not wait for this call any more. */
export interface PageAbort {
  id: number
  method?: undefined
  params?: undefined
}

export type ProviderToContent = PageCall | PageAbort

export type Outcome = { result: unknown } | { error: ProviderErrorObject }

/** Each has its own `id`, since a page may give every object one: 0 is that of no call. */
export type ContentToProvider =
  | ({ id: number; event?: undefined } & Outcome)
  | { id: 0; event: ProviderEvent; payload?: unknown }
