/**
 * Records log entries: grants, tokens given to pages, calls, failed calls and revocations, each with
 * origin, issuer and outcome (`log-entry.ts`). Equal entries within a minute are deduplicated into one
 * entry with a count. The log is bounded by quotas for each origin (`log-quotas.ts`). Writes are batched.
 */

import { clear, delMany, entries, keys, setMany, type UseStore } from 'idb-keyval'
import type { LogEntry, LogEvent } from '../../../shared/messages/screen-channel.ts'
import { LOG_COUNT_DELAY_MS, LOG_WRITE_INTERVAL_MS } from '../../limits.ts'
import { createEntry, getDeduplicationKey, type LogSubject } from './log-entry.ts'
import { getLogClass, type LogKey, MAX_ENTRIES, selectExcess } from './log-quotas.ts'
import { RecentEntries, type RecentEntry } from './recent-entries.ts'
import { openStore } from './stores.ts'

/** Number of written entries after which the log is trimmed. So many more than the quotas may be stored. */
export const TRIM_EVERY = 100
/** Events that a page can cause at any rate. Only these are deduplicated. */
const COALESCED: readonly LogEvent[] = ['token', 'call', 'proof', 'refusal']

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
  const recent = new RecentEntries()
  /** Entries that are not on the disk yet, by the time in their key. */
  const unwritten = new Map<number, [LogKey, LogEntry]>()
  let writing: Promise<void> | undefined
  let counting: ReturnType<typeof setTimeout> | undefined
  let lastTime = 0
  let nextWriteAt = 0
  // The first write of each worker trims, so that the log does not grow with short-lived workers.
  let sinceTrimmed = TRIM_EVERY

  async function trim(): Promise<void> {
    sinceTrimmed = 0
    const excess = selectExcess(await keys<LogKey>(store))
    if (excess.length === 0) return
    recent.delete(excess)
    await delMany(excess, store)
  }

  /** Drops entries by the quotas of the log, so that failed calls do not push out grants here either. */
  function trimUnwritten(): void {
    const waiting = [...unwritten.values()].map(([key]) => key)
    waiting.sort(([first], [second]) => first - second)
    for (const [time] of selectExcess(waiting)) unwritten.delete(time)
  }

  /** Writes the first entry at once, and the entries that follow soon after it as a batch. */
  async function writeBatches(): Promise<void> {
    while (unwritten.size > 0) {
      const waitMs = nextWriteAt - performance.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      const batch = [...unwritten.values()]
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
  }

  function writeSoon(): void {
    clearTimeout(counting)
    counting = undefined
    // A batch in flight may have taken what the timer of a count is for.
    if (unwritten.size === 0) return
    writing ??= writeBatches().finally(() => {
      writing = undefined
      if (unwritten.size > 0) writeSoon()
    })
  }

  function countEntry({ key, entry }: RecentEntry, at: number): void {
    entry.times = (entry.times ?? 1) + 1
    entry.until = at
    unwritten.set(key[0], [key, entry])
    counting ??= setTimeout(writeSoon, countWithinMs)
  }

  function addEntry(text: string, key: LogKey, entry: LogEntry): void {
    lastTime = Math.max(entry.at, lastTime + 0.001)
    key[0] = lastTime
    recent.add(text, { key, entry })
    unwritten.set(lastTime, [key, entry])
    writeSoon()
  }

  function record(event: LogEvent, outcome: string, about: LogSubject): () => void {
    const text = getDeduplicationKey(event, outcome, about)
    const recordAgain = () => {
      const at = now()
      const key: LogKey = [at, getLogClass(event), about.origin ?? about.issuer ?? '']
      const equal = COALESCED.includes(event) ? recent.find(key, text) : undefined
      if (equal) countEntry(equal, at)
      else addEntry(text, key, createEntry(event, outcome, about, at))
      // A database that hangs must not fill the memory.
      if (unwritten.size >= MAX_ENTRIES + TRIM_EVERY) trimUnwritten()
    }
    recordAgain()
    return recordAgain
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
      const rows = await entries<LogKey, LogEntry>(store)
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
