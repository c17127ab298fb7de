/**
 * Types the messages between the two worlds of one document: the provider in the page's world and the
 * content script in its isolated world. A private `MessagePort` connects them when the page asks for a provider: most
 * pages never do, and a port costs time at the load of each. Nothing is broadcast. Each message on the port is an array, a batch of one task (`message-batch.ts`). An empty array
 * is a ping, and its answer.
 */

import type { ProviderErrorObject, ProviderEvent } from './page-api.ts'

/** Dispatched by the content script when it listens. */
export const CONTENT_READY_EVENT = 'northkey:ready'
/**
 * Dispatched by the provider to hand over its port to a content script, which cancels the event. The version follows,
 * so it is another event: after an update, an open document has scripts of two versions, which may speak differently.
 */
export const PORT_EVENT = 'northkey:'

/** One call of the page. */
export interface PageCall {
  /** Counts from 1. */
  id: number
  method: string
  /** The deduplication key of a request that has one. It stands in place of the parameters. */
  key?: string | undefined
  /** `undefined` beside a key. */
  params: unknown
}

/** The page no longer waits for this call. */
export interface PageAbort {
  id: number
  method?: undefined
  key?: undefined
  params?: undefined
}

export type ProviderToContent = PageCall | PageAbort

/** The result of a call, or its error. */
export type Outcome = { result: unknown } | { error: ProviderErrorObject }

/**
 * An outcome or an event. Every message has an `id` of its own, since a page may define an `id` on
 * `Object.prototype`; 0 is the `id` of an event.
 */
export type ContentToProvider =
  | ({ id: number; event?: undefined } & Outcome)
  | { id: 0; event: ProviderEvent; payload?: unknown }
