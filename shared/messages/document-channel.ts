/**
 * The border inside one document: the provider in the page's world and the content script in its own.
 * A private `MessagePort` joins them before any script of the page has run; nothing is broadcast.
 */

import type { ProviderErrorObject, ProviderEvent } from './page-api.ts'

/** The content script says that it listens. */
export const CONTENT_READY_EVENT = 'northkey:ready'
/** The provider hands over its port. */
export const PORT_EVENT = 'northkey:port'

export type ProviderToContent =
  | { type: 'request'; id: number; method: string; params: unknown }
  | { type: 'abort'; id: number }
  | { type: 'ping' }

export type Outcome = { result: unknown } | { error: ProviderErrorObject }

export type ContentToProvider =
  | ({ type: 'response'; id: number } & Outcome)
  | { type: 'event'; event: ProviderEvent; payload: unknown }
  | { type: 'pong' }
