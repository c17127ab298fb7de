/**
 * Adds a write-through cache to a sealed store: a record that was read or written once is not decrypted
 * again. The disk stays authoritative: a record is cached only after its write has succeeded. The cache
 * ends with the worker. A change during a read is detected by the state version, and the outdated result is
 * not cached.
 *
 * Border: this worker is the only writer, and callers do not change a record in place.
 */

import type { SealedStore } from './sealed-store.ts'
import { bumpStateVersion, getStateVersion } from './state-version.ts'

export function withCache<T>(store: SealedStore<T>): SealedStore<T> {
  const cache = new Map<string, T>()

  return {
    async get(id) {
      const cached = cache.get(id)
      if (cached !== undefined) return cached
      const before = getStateVersion()
      const record = await store.get(id)
      if (record !== undefined && before === getStateVersion()) cache.set(id, record)
      return record
    },
    async set(id, record) {
      bumpStateVersion()
      try {
        await store.set(id, record)
        cache.set(id, record)
      } catch (error) {
        cache.delete(id)
        throw error
      } finally {
        bumpStateVersion()
      }
    },
    async delete(id) {
      bumpStateVersion()
      cache.delete(id)
      await store.delete(id)
      bumpStateVersion()
      cache.delete(id)
    },
    all: () => store.all(),
    async sweep() {
      cache.clear()
      bumpStateVersion()
      await store.sweep()
    },
  }
}
