/**
 * Logs each request to a server of the network, and its answer. Tests take it as their oracle, because they
 * must not trust the client's own claims. A test that needs a request waits for it here, and does not poll.
 * Entries hold everything as it came in, secrets included, so a log stays on the machine where it was made.
 */

import { EventEmitter } from 'node:events'

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
  /** Known once the request is answered. */
  status?: number
  /** Members that a form or JSON body has to have, for instance `grant_type`; known once it is answered. */
  body?: Readonly<Record<string, unknown>>
}

export interface WaitOptions {
  /**
   * State that the request has to reach. `arrived`: its headers have been read. `answered`: its answer has
   * been handed to the socket, or its upgrade to WebSocket has been accepted or rejected. Default: `answered`.
   */
  until?: 'arrived' | 'answered'
  /** Only entries with a greater `id` count. Default: every entry in the log counts. */
  afterId?: number
  /** Default: 20,000. */
  timeoutMs?: number
  signal?: AbortSignal
}

/** The time limit of `waitFor` has passed. The message names the filter and the requests that came close. */
export class LogTimeoutError extends Error {
  override readonly name = 'LogTimeoutError'
}

interface Events {
  arrived: [LogEntry]
  answered: [LogEntry]
  completed: [LogEntry]
}

const DEFAULT_TIMEOUT_MS = 20_000
const MAX_NAMED_REQUESTS = 10

/** Bounded list of requests, newest last. */
export class RequestLog {
  readonly #entries: LogEntry[] = []
  readonly #answered = new WeakSet<LogEntry>()
  readonly #events = new EventEmitter<Events>().setMaxListeners(0)
  readonly #capacity: number
  #lastId = 0

  constructor(capacity = 20_000) {
    this.#capacity = capacity
  }

  /** Requests so far, newest last. */
  get entries(): readonly LogEntry[] {
    return this.#entries
  }

  /** Identifier of the newest request, 0 before the first. `clear` does not reset it. */
  get lastId(): number {
    return this.#lastId
  }

  /** Adds a request that has arrived; the entry is completed in place as the exchange goes on. */
  add(arrival: Omit<LogEntry, 'id'>): LogEntry {
    this.#lastId += 1
    const entry: LogEntry = { id: this.#lastId, ...arrival }
    this.#entries.push(entry)
    if (this.#entries.length > this.#capacity) this.#entries.shift()
    this.#events.emit('arrived', entry)
    return entry
  }

  /** Announces that the answer to a request has been handed to the socket. */
  markAnswered(entry: LogEntry): void {
    this.#answered.add(entry)
    this.#events.emit('answered', entry)
  }

  /** Announces that an exchange is over, answered or not: the entry does not change any more. */
  markCompleted(entry: LogEntry): void {
    this.#events.emit('completed', entry)
  }

  /** Entries that match every given member, newest last. */
  filter(filter: LogFilter): LogEntry[] {
    return this.#entries.filter((entry) => matchesFilter(entry, filter))
  }

  clear(): void {
    this.#entries.length = 0
  }

  /** Calls the listener with each entry once its exchange is over. Returns a function that removes it. */
  onCompleted(listener: (entry: LogEntry) => void): () => void {
    this.#events.on('completed', listener)
    return () => this.#events.off('completed', listener)
  }

  /**
   * Resolves with the oldest request that matches the filter and has reached the state: at once if it is
   * in the log already, otherwise when it gets there. To wait for a new request, take `lastId` before the
   * action that causes it and pass it as `afterId`.
   * @throws LogTimeoutError when the time limit passes; the reason of the signal when it aborts.
   */
  waitFor(filter: LogFilter, options: WaitOptions = {}): Promise<LogEntry> {
    const { until = 'answered', afterId = 0, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options
    const isMatch = (entry: LogEntry) =>
      entry.id > afterId &&
      (until === 'arrived' || this.#answered.has(entry)) &&
      matchesFilter(entry, filter)
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const logged = this.#entries.find(isMatch)
      if (logged) return resolve(logged)

      const handleEntry = (entry: LogEntry) => {
        if (!isMatch(entry)) return
        stopWaiting()
        resolve(entry)
      }
      const handleAbort = () => {
        stopWaiting()
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        stopWaiting()
        reject(new LogTimeoutError(this.#formatTimeout(filter, until, afterId, timeoutMs)))
      }, timeoutMs)
      // Status and body are known with the answer, so a filter that names them can match only then.
      this.#events.on('arrived', handleEntry).on('answered', handleEntry)
      signal?.addEventListener('abort', handleAbort)

      const stopWaiting = () => {
        clearTimeout(timer)
        this.#events.off('arrived', handleEntry).off('answered', handleEntry)
        signal?.removeEventListener('abort', handleAbort)
      }
    })
  }

  #formatTimeout(filter: LogFilter, until: string, afterId: number, timeoutMs: number): string {
    const { status: _status, body: _body, ...target } = filter
    const closeEntries = this.#entries.filter(
      (entry) => entry.id > afterId && matchesFilter(entry, target),
    )
    const descriptions = closeEntries
      .slice(-MAX_NAMED_REQUESTS)
      .map((entry) => this.#formatEntry(entry))
    return [
      `no request that matches ${formatFilter(filter)} ${until} within ${timeoutMs} ms`,
      afterId === 0 ? '' : `, after entry ${afterId}`,
      `; ${closeEntries.length} of ${this.#entries.length} in the log have this server, method and path`,
      descriptions.length === 0 ? '' : `: ${descriptions.join(', ')}`,
    ].join('')
  }

  #formatEntry(entry: LogEntry): string {
    const state = this.#answered.has(entry) ? entry.status : 'no answer'
    return `#${entry.id} ${entry.method} ${entry.path} (${state})`
  }
}

function matchesFilter(entry: LogEntry, filter: LogFilter): boolean {
  if (filter.server !== undefined && entry.server !== filter.server) return false
  if (filter.method !== undefined && entry.method !== filter.method) return false
  if (filter.status !== undefined && entry.status !== filter.status) return false
  for (const [name, value] of Object.entries(filter.body ?? {})) {
    if (Reflect.get(Object(entry.body), name) !== value) return false
  }
  if (filter.path instanceof RegExp) return filter.path.test(entry.path)
  return filter.path === undefined || entry.path === filter.path
}

function formatFilter(filter: LogFilter): string {
  return JSON.stringify(filter, (_name, value) => (value instanceof RegExp ? String(value) : value))
}
