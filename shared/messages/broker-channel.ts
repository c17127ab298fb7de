/**
 * The border between a content script and the broker: one port for each document, whose name is that of
 * the document. What a page may not choose is missing from what it sends: the origin, the tab and the
 * document are read from the browser's `sender`. Each message is a list, both ways: what was said in one
 * turn goes together.
 */

import type { Outcome } from './document-channel.ts'
import type { ProviderEvent } from './page-api.ts'

/** A call of the page. Its sender is not in it. */
export interface UnverifiedPageRequest {
  /** The page's number of the call: the same when it is asked for again after a worker's end. */
  id: number
  /** 0 the first time; higher when the same call is asked for again. */
  attempt: number
  /**
   * Of a call that may be joined the whole key, which has the parameters in it. Either is the page's own
   * text: nothing that is looked up by it may be another origin's.
   */
  method: string
  /** `undefined` beside a key. */
  params: unknown
  /** Whether the document had transient user activation when the page called. */
  userActivation: boolean
  /** Whether the document was visible when the page called. */
  visible: boolean
  isOver?: undefined
}

/** The page gave the call up. A document that goes away closes its port. */
export interface UnverifiedPageAbort {
  id: number
  method?: undefined
  isOver: true
}

/** The page still waits, for this call if for no other, and wants to know whether anybody is here. */
export interface UnverifiedPageWaits {
  id: number
  method?: undefined
  isOver?: undefined
}

export type UnverifiedPageMessage =
  | UnverifiedPageRequest
  | UnverifiedPageAbort
  | UnverifiedPageWaits

/** The broker is here: said at once to a new port, and to whoever still waits. */
interface BrokerIsHere {
  id: 0
  part?: undefined
  length?: undefined
}

/** What the broker says about a call: how it ended, or a part of a large body while there is more to come. */
export type BrokerAnswer =
  | BrokerIsHere
  | ({ id: number } & (Ended | { part: ArrayBuffer; length?: undefined }))

/** How a call ended. */
export type Ended = Outcome & {
  part?: undefined
  /** Of a body that was sent in parts, all together: the outcome's own body is the last of them. */
  length?: number
}

/** From the broker to the content script of a document whose origin the event concerns. */
export interface BrokerEvent {
  /** Whom it concerns. A document of another origin that gets it keeps it from its page. */
  origin: string
  event: ProviderEvent
  payload: unknown
}
