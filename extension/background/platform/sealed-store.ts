/**
 * Stores sealed records in IndexedDB (idb-keyval). A record is sealed before its transaction begins, since a
 * transaction does not wait for WebCrypto.
 *
 * Border: callers make sure that a record has one writer at a time.
 */

import { del, entries, get, promisifyRequest, set, type UseStore } from 'idb-keyval'
import { type Sealed, sealValue, unsealValue } from './seal.ts'

export interface SealedStore<T> {
  get(id: string): Promise<T | undefined>
  set(id: string, record: T): Promise<void>
  delete(id: string): Promise<void>
  all(): Promise<T[]>
  /** Deletes the records that this browser session cannot decrypt. */
  sweep(): Promise<void>
}

/**
 * Returns the IV, which identifies a write since each write has a new one. A damaged record may have none.
 */
const getWriteId = (sealed: Partial<Sealed> | undefined) => String(sealed?.iv)

/** Deletes records in one transaction, except those that were written again since they were read. */
async function deleteUnchanged(objects: IDBObjectStore, rows: [string, Sealed][]): Promise<void> {
  for (const [id, unreadable] of rows) {
    const reading: IDBRequest<Sealed | undefined> = objects.get(id)
    reading.onsuccess = () => {
      if (getWriteId(reading.result) === getWriteId(unreadable)) objects.delete(id)
    }
  }
  await promisifyRequest(objects.transaction)
}

/** @param key The sealing key of this browser session. */
export function createSealedStore<T>(
  name: string,
  key: () => Promise<CryptoKey>,
  store: UseStore,
): SealedStore<T> {
  const getName = (id: string) => `${name}/${id}`

  async function read(id: string, sealed: Sealed | undefined): Promise<T | undefined> {
    return sealed && ((await unsealValue(await key(), getName(id), sealed)) as T | undefined)
  }

  return {
    get: async (id) => read(id, await get<Sealed>(id, store)),
    set: async (id, record) => set(id, await sealValue(await key(), getName(id), record), store),
    delete: (id) => del(id, store),
    async all() {
      const rows = await entries<string, Sealed>(store)
      const records = await Promise.all(rows.map(([id, sealed]) => read(id, sealed)))
      return records.filter((record) => record !== undefined)
    },
    async sweep() {
      const rows = await entries<string, Sealed>(store)
      const records = await Promise.all(rows.map(([id, sealed]) => read(id, sealed)))
      const unreadable = rows.filter((_, index) => records[index] === undefined)
      if (unreadable.length === 0) return
      await store('readwrite', (objects) => deleteUnchanged(objects, unreadable))
    },
  }
}
