/**
 * Finds the entry of the log in which a repeated event is counted. Each origin and class has a list of its
 * own, so that a busy origin does not end the deduplication for another one.
 */

import type { LogEntry } from '../../../shared/messages/screen-channel.ts'
import { LOG_DEDUPLICATION_MS } from '../../limits.ts'
import type { LogKey } from './log-quotas.ts'

const MAX_ENTRIES = 100
const MAX_LISTS = 100

export interface RecentEntry {
  key: LogKey
  entry: LogEntry
}

/** Lists by class and origin; in each list the entries by their deduplication key, oldest first. */
export class RecentEntries {
  readonly #lists = new Map<string, Map<string, RecentEntry>>()

  #getList([, logClass, origin]: LogKey): Map<string, RecentEntry> {
    const name = `${logClass} ${origin}`
    let list = this.#lists.get(name)
    if (!list) {
      list = new Map()
      this.#lists.set(name, list)
      const [oldest] = this.#lists.keys()
      if (this.#lists.size > MAX_LISTS && oldest !== undefined) this.#lists.delete(oldest)
    }
    return list
  }

  /** @param key Key of a new entry for the event. Its time is the time of the event. */
  find(key: LogKey, deduplicationKey: string): RecentEntry | undefined {
    const [at] = key
    const list = this.#getList(key)
    for (const [text, { entry }] of list) {
      if (Math.abs(at - entry.at) <= LOG_DEDUPLICATION_MS && list.size <= MAX_ENTRIES) break
      list.delete(text)
    }
    return list.get(deduplicationKey)
  }

  add(deduplicationKey: string, recent: RecentEntry): void {
    this.#getList(recent.key).set(deduplicationKey, recent)
  }

  /** Forgets entries that the database does not contain any more. */
  delete(keys: readonly LogKey[]): void {
    const times = new Set(keys.map(([time]) => time))
    for (const list of this.#lists.values()) {
      for (const [text, { key }] of list) if (times.has(key[0])) list.delete(text)
    }
  }

  clear(): void {
    this.#lists.clear()
  }
}
