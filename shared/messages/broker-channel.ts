/**
 * Types the messages between a content script and the broker: one port for each document, whose name
 * identifies the document. What a page may not choose is missing from these types: the broker reads the
 * origin, the tab and the document from the browser's `sender`. Each message on the port is an array, a
 * batch of one task (`message-batch.ts`), in both directions.
 */

import type { Outcome } from './document-channel.ts'
import type { ProviderEvent } from './page-api.ts'

/** A call of the page. Its sender is not in it. */
export interface UnverifiedPageRequest {
  /** The number that the page gave the call. It stays the same when the call is sent again to a new worker. */
  id: number
  /** 0 for the first attempt; counts the attempts to send the same call again. */
  attempt: number
  method: string
  /**
   * The deduplication key of a request that has one. It stands in place of the parameters and contains
   * them. It is the page's own text: a lookup by it must never find a record of another origin.
   */
  key?: string | undefined
  /** `undefined` beside a key. */
  params: unknown
  /** Whether the document had transient user activation when the page called. */
  userActivation: boolean
  /** Whether the document was visible when the page called. */
  visible: boolean
  isOver?: undefined
}

/** The page aborted the call. A document that is unloaded closes its port instead. */
export interface UnverifiedPageAbort {
  id: number
  method?: undefined
  isOver: true
}

/** Keep-alive: the page still waits for this call, perhaps among others. The broker answers `BrokerReady`. */
export interface UnverifiedPageKeepAlive {
  id: number
  method?: undefined
  isOver?: undefined
}

export type UnverifiedPageMessage =
  | UnverifiedPageRequest
  | UnverifiedPageAbort
  | UnverifiedPageKeepAlive

/** The broker runs: sent at once over a new port, and in answer to a keep-alive. */
interface BrokerReady {
  id: 0
  part?: undefined
  length?: undefined
}

/** The end of a call, or one part of a large body while the rest is still to come. */
export type BrokerAnswer =
  | BrokerReady
  | ({ id: number } & (Ended | { part: ArrayBuffer; length?: undefined }))

/** The end of a call. */
export type Ended = Outcome & {
  part?: undefined
  /** Length in bytes of a body that was sent in parts. The outcome's own body is the last part. */
  length?: number
}

/** From the broker to the content script of a document whose origin the event concerns. */
export interface BrokerEvent {
  /** Origin that the event concerns. A document of another origin does not pass the event to its page. */
  origin: string
  event: ProviderEvent
  payload: unknown
}
