/**
 * Records in IndexedDB (idb-keyval), sealed. One record is changed by one writer at a time; whatever is
 * to be sealed is sealed before the transaction begins, since a transaction does not wait for WebCrypto.
 */

import { clear, del, entries, get, set, type UseStore } from 'idb-keyval'
import { openDatabase } from './database.ts'
import { open, type Sealed, seal } from './seal.ts'

export interface SealedStore<T> {
  get(id: string): Promise<T | undefined>
  set(id: string, record: T): Promise<void>
  delete(id: string): Promise<void>
  all(): Promise<T[]>
  /** Removes what this browser session cannot open. */
  sweep(): Promise<void>
}

export function createSealedStore<T>(
  name: string,
  key: () => Promise<CryptoKey>,
  store: UseStore = openDatabase(`northkey-${name}`, name),
): SealedStore<T> {
  const nameOf = (id: string) => `${name}/${id}`

  async function read(id: string, sealed: Sealed | undefined): Promise<T | undefined> {
    return sealed && ((await open(await key(), nameOf(id), sealed)) as T | undefined)
  }

  return {
    get: async (id) => read(id, await get<Sealed>(id, store)),
    set: async (id, record) => set(id, await seal(await key(), nameOf(id), record), store),
    delete: (id) => del(id, store),
    async all() {
      const rows = await entries<string, Sealed>(store)
      const records = await Promise.all(rows.map(([id, sealed]) => read(id, sealed)))
      return records.filter((record) => record !== undefined)
    },
    async sweep() {
      const rows = await entries<string, Sealed>(store)
      if (rows.length === 0) return
      const records = await Promise.all(rows.map(([id, sealed]) => read(id, sealed)))
      if (records.every((record) => record === undefined)) return clear(store)
      const lost = rows.filter((_, index) => records[index] === undefined)
      await Promise.all(lost.map(([id]) => del(id, store)))
    },
  }
}
