/**
 * Records log entries: grants, tokens given to pages, calls, failed calls and revocations, each with
 * origin, issuer and outcome. The log contains no secret: only the members named in this file are copied,
 * and an outcome is a short text. The log is bounded, and equal entries within a minute are deduplicated
 * into one entry with a count. Writes are batched.
 */

import { clear, delMany, entries, keys, setMany, type UseStore } from 'idb-keyval'
import type { ApiAccess, Mode } from '../../../shared/messages/page-api.ts'
import type { LogEntry, LogEvent } from '../../../shared/messages/screen-channel.ts'
import { LOG_COUNT_DELAY_MS, LOG_DEDUPLICATION_MS, LOG_WRITE_INTERVAL_MS } from '../../limits.ts'
import { openStore } from './stores.ts'

/** Minimum number of entries that are kept. A few more may be stored until the next trim. */
export const MAX_ENTRIES = 2_000
const TRIM_EVERY = 100

/** Events that a page can cause at any rate. Only these are deduplicated. */
const COALESCED: readonly LogEvent[] = ['token', 'call', 'proof', 'refusal']

/** Subject of an entry. A grant record has this shape. */
export interface LogSubject {
  origin?: string
  issuer?: string
  mode?: Mode
  apis?: readonly ApiAccess[]
}

export interface Log {
  /**
   * Records an entry. It never throws and is not awaited: a call must not fail because its entry cannot be
   * written.
   *
   * @returns Function that records the same event once more, for very frequent events.
   */
  record(event: LogEvent, outcome: string, about: LogSubject): () => void
  /** Reads all entries, newest first. */
  read(): Promise<LogEntry[]>
  clear(): Promise<void>
  /** Resolves when every entry so far is on the disk. */
  settled(): Promise<void>
}

interface StoredEntry {
  key: number
  entry: LogEntry
}

/** Limits a text that a server may have chosen to 80 printable ASCII characters. */
function toShortText(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?')
  return plain.length > 80 ? `${plain.slice(0, 79)}…` : plain
}

function createEntry(event: LogEvent, outcome: string, about: LogSubject, at: number): LogEntry {
  const { origin, issuer, mode, apis } = about
  return {
    at,
    event,
    outcome: toShortText(outcome),
    ...(origin !== undefined && { origin }),
    ...(issuer !== undefined && { issuer }),
    ...(mode !== undefined && { mode }),
    ...(apis !== undefined && {
      apis: apis.map(({ resource, scope, purpose }) => ({
        resource,
        scope,
        ...(purpose !== undefined && { purpose }),
      })),
    }),
  }
}

/**
 * @param now Clock, in milliseconds since 1970.
 * @param writeEveryMs Minimum time between two writes.
 * @param countWithinMs Delay of the write of a count.
 */
export function createLog(
  store: UseStore = openStore('log'),
  now: () => number = Date.now,
  writeEveryMs = 0,
  countWithinMs = 0,
): Log {
  /** Entries of the last minute by content, for the deduplication of equal entries. */
  const recent = new Map<string, StoredEntry>()
  const unwritten = new Map<number, LogEntry>()
  let isWriting = false
  /** The writes in progress. It is pending while `isWriting` is true. */
  let writing = Promise.resolve()
  let counting: ReturnType<typeof setTimeout> | undefined
  let lastKey = 0
  let nextWriteAt = 0
  // The first write of each worker trims, so that the log does not grow with short-lived workers.
  let sinceTrimmed = TRIM_EVERY

  async function trim(): Promise<void> {
    sinceTrimmed = 0
    const all = await keys<number>(store)
    if (all.length > MAX_ENTRIES) await delMany(all.slice(0, all.length - MAX_ENTRIES), store)
  }

  /** Writes the first entry at once, and the entries that follow soon after it as a batch. */
  async function writeBatches(): Promise<void> {
    while (unwritten.size > 0) {
      const waitMs = nextWriteAt - performance.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      const batch = [...unwritten]
      unwritten.clear()
      try {
        await setMany(batch, store)
        nextWriteAt = performance.now() + writeEveryMs
        sinceTrimmed += batch.length
        if (sinceTrimmed >= TRIM_EVERY) await trim()
      } catch (error) {
        console.warn('log: not written', error instanceof Error ? error.name : '')
      }
    }
    isWriting = false
  }

  function writeSoon(): void {
    clearTimeout(counting)
    counting = undefined
    // The batch that was written last may have contained the count for which the timer was set.
    if (isWriting || unwritten.size === 0) return
    isWriting = true
    writing = writeBatches()
  }

  function deleteOldEntries(at: number): void {
    for (const [text, { entry }] of recent) {
      if (Math.abs(at - entry.at) <= LOG_DEDUPLICATION_MS && recent.size <= TRIM_EVERY) return
      recent.delete(text)
    }
  }

  function countEntry({ key, entry }: StoredEntry, at: number): void {
    entry.times = (entry.times ?? 1) + 1
    entry.until = at
    unwritten.set(key, entry)
    counting ??= setTimeout(writeSoon, countWithinMs)
  }

  function addEntry(text: string, entry: LogEntry): void {
    lastKey = Math.max(entry.at, lastKey + 0.001)
    recent.set(text, { key: lastKey, entry })
    unwritten.set(lastKey, entry)
    writeSoon()
  }

  function record(event: LogEvent, outcome: string, about: LogSubject): () => void {
    const { origin, issuer, mode, apis } = about
    const text = JSON.stringify([event, outcome, origin, issuer, mode, apis])
    const recordAgain = () => {
      const at = now()
      deleteOldEntries(at)
      const equal = COALESCED.includes(event) ? recent.get(text) : undefined
      if (equal) countEntry(equal, at)
      else addEntry(text, createEntry(event, outcome, about, at))
      // A database that hangs must not fill the memory.
      if (unwritten.size <= MAX_ENTRIES) return
      const [oldest] = unwritten.keys()
      if (oldest !== undefined) unwritten.delete(oldest)
    }
    recordAgain()
    return recordAgain
  }

  const settled = async () => {
    if (counting !== undefined) writeSoon()
    // A loop over a promise that is resolved already would never let another task of the worker run.
    while (isWriting) await writing
  }

  return {
    record,
    settled,
    async read() {
      await settled()
      const rows = await entries<number, LogEntry>(store)
      return rows.map(([, entry]) => entry).reverse()
    },
    async clear() {
      await settled()
      recent.clear()
      await clear(store)
    },
  }
}

/** The broker's own log. */
export const log = createLog(undefined, undefined, LOG_WRITE_INTERVAL_MS, LOG_COUNT_DELAY_MS)

/** Records one entry. A grant record can be passed as it is: only the members of the log are copied. */
export const recordLogEntry = log.record
