/**
 * Records in IndexedDB (idb-keyval), sealed. One record is changed by one writer at a time; whatever is
 * to be sealed is sealed before the transaction begins, since a transaction does not wait for WebCrypto.
 */

import { del, entries, get, promisifyRequest, set, type UseStore } from 'idb-keyval'
import { type Sealed, sealValue, unsealValue } from './seal.ts'

export interface SealedStore<T> {
  get(id: string): Promise<T | undefined>
  set(id: string, record: T): Promise<void>
  delete(id: string): Promise<void>
  all(): Promise<T[]>
  /** Removes what this browser session cannot open. */
  sweep(): Promise<void>
}

/** Fresh for each write: it names the write. What is damaged may have none. */
const ivOf = (sealed: Partial<Sealed> | undefined) => String(sealed?.iv)

/** What was written in the place of a record since it was judged stays. */
async function deleteUnchanged(objects: IDBObjectStore, rows: [string, Sealed][]): Promise<void> {
  for (const [id, judged] of rows) {
    const reading: IDBRequest<Sealed | undefined> = objects.get(id)
    reading.onsuccess = () => {
      if (ivOf(reading.result) === ivOf(judged)) objects.delete(id)
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
  const nameOf = (id: string) => `${name}/${id}`

  async function read(id: string, sealed: Sealed | undefined): Promise<T | undefined> {
    return sealed && ((await unsealValue(await key(), nameOf(id), sealed)) as T | undefined)
  }

  return {
    get: async (id) => read(id, await get<Sealed>(id, store)),
    set: async (id, record) => set(id, await sealValue(await key(), nameOf(id), record), store),
    delete: (id) => del(id, store),
    async all() {
      const rows = await entries<string, Sealed>(store)
      const records = await Promise.all(rows.map(([id, sealed]) => read(id, sealed)))
      return records.filter((record) => record !== undefined)
    },
    async sweep() {
      const rows = await entries<string, Sealed>(store)
      const records = await Promise.all(rows.map(([id, sealed]) => read(id, sealed)))
      const lost = rows.filter((_, index) => records[index] === undefined)
      if (lost.length > 0) await store('readwrite', (objects) => deleteUnchanged(objects, lost))
    },
  }
}
