/** A call of a page, as a method gets it: the caller is verified and the parameters are checked. */

/** A document that may call: the top document of a tab, in a secure context. */
export interface Caller {
  origin: string
  tabId: number
  documentId: string
}

/** The caller, and what the browser said of its document at that moment. */
export interface Call extends Caller {
  requestId: string
  /** The deduplication key of the request, if it came with one. Its answer may be cached under it. */
  key: string | undefined
  userActivation: boolean
  visible: boolean
  signal: AbortSignal
  /** Hands over a part of a large body while the rest is still to come. */
  deliver(part: ArrayBuffer): void
}
