/**
 * Types the call of a page as a method gets it: the sender is verified, and the parameters are checked.
 */

/** A document that may call: the top document of a tab, in a secure context. */
export interface Caller {
  origin: string
  tabId: number
  documentId: string
}

/** The caller, the state of its document when the page called, and the ways to abort and to deliver. */
export interface Call extends Caller {
  requestId: string
  /** When the call reached this worker. */
  calledAtMs: number
  /** The deduplication key of a request that has one. The answer may be cached under it. */
  key: string | undefined
  /** Whether the call came right after a click. A call that is sent again has no click any more. */
  userActivation: boolean
  visible: boolean
  signal: AbortSignal
  /** Delivers a part of a large body while the rest is still to come. */
  deliver(part: ArrayBuffer): void
}
