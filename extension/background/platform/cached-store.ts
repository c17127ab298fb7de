/**
 * A store whose records are also kept in the worker's memory, once read or written: what is asked for
 * again and again is not opened anew each time. The disk stays the truth: a record is cached only
 * when it is durable, and the worker's end forgets all of them.
 *
 * Border: this worker is the only one who writes. Records are not changed in place.
 */

import type { SealedStore } from './sealed-store.ts'
import { bumpStateVersion, getStateVersion } from './state-version.ts'

export function withCache<T>(store: SealedStore<T>): SealedStore<T> {
  const known = new Map<string, T>()

  return {
    async get(id) {
      const here = known.get(id)
      if (here !== undefined) return here
      const before = getStateVersion()
      const record = await store.get(id)
      if (record !== undefined && before === getStateVersion()) known.set(id, record)
      return record
    },
    async set(id, record) {
      bumpStateVersion()
      try {
        await store.set(id, record)
        known.set(id, record)
      } catch (error) {
        known.delete(id)
        throw error
      } finally {
        bumpStateVersion()
      }
    },
    async delete(id) {
      bumpStateVersion()
      known.delete(id)
      await store.delete(id)
      bumpStateVersion()
      known.delete(id)
    },
    all: () => store.all(),
    async sweep() {
      known.clear()
      bumpStateVersion()
      await store.sweep()
    },
  }
}
