/**
 * What each server of the network was asked, and how it answered: the oracle of tests that must not
 * trust the client's own claims. Entries hold everything as it came in, secrets included, so a log
 * belongs to the machine it was made on.
 */

export type Fields = Record<string, string | string[]>

/** One request. `status` is absent while the answer is still to come, and when none ever came. */
export interface LogEntry {
  /** Counts up by one over all servers of one network. */
  id: number
  /** Name of the server, for instance `authorization-function`. */
  server: string
  /** Epoch milliseconds of arrival. */
  timeMs: number
  /** Address that the request came from. */
  from: string
  method: string
  path: string
  query: Fields
  headers: Fields
  /** The body as parsed: an object for a form or JSON, a string for anything else. */
  body?: unknown
  status?: number
  /** Headers of the answer. */
  answerHeaders?: Fields
  /** Name of the fault that was injected into this request. */
  fault?: string
}

export interface LogFilter {
  server?: string
  method?: string
  /** Exact path, or a pattern that it matches. */
  path?: string | RegExp
  status?: number
}

type Listener = (entry: LogEntry) => void

/** Bounded list of requests, newest last. */
export class RequestLog {
  readonly #entries: LogEntry[] = []
  readonly #listeners = new Set<Listener>()
  readonly #capacity: number
  #lastId = 0

  constructor(capacity = 20_000) {
    this.#capacity = capacity
  }

  /** Requests so far, newest last. */
  get entries(): readonly LogEntry[] {
    return this.#entries
  }

  /** Notes an arrival; the entry is completed in place as the exchange goes on. */
  add(arrival: Omit<LogEntry, 'id'>): LogEntry {
    this.#lastId += 1
    const entry: LogEntry = { id: this.#lastId, ...arrival }
    this.#entries.push(entry)
    if (this.#entries.length > this.#capacity) this.#entries.shift()
    return entry
  }

  /** Tells the listeners that nothing more will happen to an entry. */
  completed(entry: LogEntry): void {
    for (const listener of this.#listeners) listener(entry)
  }

  /** Entries that match every given member, newest last. */
  filter(filter: LogFilter): LogEntry[] {
    return this.#entries.filter((entry) => matches(entry, filter))
  }

  clear(): void {
    this.#entries.length = 0
  }

  /** Calls the listener with each entry once its exchange is over; returns the undo. */
  onCompleted(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

function matches(entry: LogEntry, filter: LogFilter): boolean {
  if (filter.server !== undefined && entry.server !== filter.server) return false
  if (filter.method !== undefined && entry.method !== filter.method) return false
  if (filter.status !== undefined && entry.status !== filter.status) return false
  if (filter.path instanceof RegExp) return filter.path.test(entry.path)
  return filter.path === undefined || entry.path === filter.path
}
