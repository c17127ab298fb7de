/**
 * The log: what was granted, handed out, called, refused and revoked, for whom and with which outcome.
 * It holds no secret: of what it is given, only the members named here are copied, and an outcome is a
 * word. It is bounded, and a page that repeats itself fills it with one entry a minute.
 */

import { clear, delMany, entries, keys, setMany, type UseStore } from 'idb-keyval'
import type { ApiAccess, Mode } from '../../../shared/messages/page-api.ts'
import type { LogEntry, LogEvent } from '../../../shared/messages/screen-channel.ts'
import { LOG_COUNT_DELAY_MS, LOG_DEDUPLICATION_MS, LOG_WRITE_INTERVAL_MS } from '../../limits.ts'
import { openStore } from './stores.ts'

/** How many entries are kept at least; a few more may lie there until the next trimming. */
export const MAX_ENTRIES = 2_000
const TRIM_EVERY = 100

/** What a page can bring about as often as it likes. Of all else each entry stands for itself. */
const COALESCED: readonly LogEvent[] = ['token', 'call', 'proof', 'refusal']

/** What an entry is about. A grant record has this shape. */
export interface LogSubject {
  origin?: string
  issuer?: string
  mode?: Mode
  apis?: readonly ApiAccess[]
}

export interface Log {
  /**
   * Never throws and is not waited for: a call does not fail because its entry cannot be written.
   *
   * @returns Records the same once more, for what happens very often.
   */
  record(event: LogEvent, outcome: string, about: LogSubject): () => void
  /** Newest first. */
  read(): Promise<LogEntry[]>
  clear(): Promise<void>
  /** Everything recorded so far is on the disk. */
  settled(): Promise<void>
}

interface Line {
  key: number
  entry: LogEntry
}

/** A server chooses its error words; here they stay words. */
function word(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?')
  return plain.length > 80 ? `${plain.slice(0, 79)}…` : plain
}

function entryOf(event: LogEvent, outcome: string, about: LogSubject, at: number): LogEntry {
  const { origin, issuer, mode, apis } = about
  return {
    at,
    event,
    outcome: word(outcome),
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

export function createLog(
  store: UseStore = openStore('log'),
  now: () => number = Date.now,
  writeEveryMs = 0,
  countWithinMs = 0,
): Log {
  /** Entries of the last minute by what they say, so that an equal one is counted instead of added. */
  const recent = new Map<string, Line>()
  const unwritten = new Map<number, LogEntry>()
  let writing: Promise<void> | undefined
  let counting: ReturnType<typeof setTimeout> | undefined
  let lastKey = 0
  let nextWriteAt = 0
  // The first write of a worker trims, so that short lives cannot let the log grow.
  let sinceTrimmed = TRIM_EVERY

  async function trim(): Promise<void> {
    sinceTrimmed = 0
    const all = await keys<number>(store)
    if (all.length > MAX_ENTRIES) await delMany(all.slice(0, all.length - MAX_ENTRIES), store)
  }

  /** The first entry is written at once; those that come soon after it go together. */
  async function write(): Promise<void> {
    while (unwritten.size > 0) {
      const early = nextWriteAt - performance.now()
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
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
    writing = undefined
  }

  function writeSoon(): void {
    clearTimeout(counting)
    counting = undefined
    writing ??= write()
  }

  function deleteOldEntries(at: number): void {
    for (const [text, { entry }] of recent) {
      if (Math.abs(at - entry.at) <= LOG_DEDUPLICATION_MS && recent.size <= TRIM_EVERY) return
      recent.delete(text)
    }
  }

  function count({ key, entry }: Line, at: number): void {
    entry.times = (entry.times ?? 1) + 1
    entry.until = at
    unwritten.set(key, entry)
    counting ??= setTimeout(writeSoon, countWithinMs)
  }

  function add(text: string, entry: LogEntry): void {
    lastKey = Math.max(entry.at, lastKey + 0.001)
    recent.set(text, { key: lastKey, entry })
    unwritten.set(lastKey, entry)
    writeSoon()
  }

  function record(event: LogEvent, outcome: string, about: LogSubject): () => void {
    const { origin, issuer, mode, apis } = about
    const text = JSON.stringify([event, outcome, origin, issuer, mode, apis])
    const again = () => {
      const at = now()
      deleteOldEntries(at)
      const equal = COALESCED.includes(event) ? recent.get(text) : undefined
      if (equal) count(equal, at)
      else add(text, entryOf(event, outcome, about, at))
      // A database that hangs must not fill the memory.
      if (unwritten.size <= MAX_ENTRIES) return
      const [oldest] = unwritten.keys()
      if (oldest !== undefined) unwritten.delete(oldest)
    }
    again()
    return again
  }

  const settled = async () => {
    if (counting !== undefined) writeSoon()
    while (writing) await writing
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

/** One entry. A grant record can be passed as it is: only what belongs into the log is copied. */
export const recordLogEntry = log.record
