/** Changes the broker's databases from a page of the broker's own origin. */

import type { JSHandle, Page } from 'puppeteer-core'

/** Opens a database in the page. An open database blocks no writer, but it blocks the removal of the database. */
export function openDatabase(screen: Page, name: string): Promise<JSHandle<IDBDatabase>> {
  return screen.evaluateHandle(
    (databaseName) =>
      new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open(databaseName)
        opening.onsuccess = () => resolve(opening.result)
        opening.onerror = () => reject(opening.error)
      }),
    name,
  )
}

/** Deletes all records of a store. */
export async function clearStore(screen: Page, name: string, store: string): Promise<void> {
  const opened = await openDatabase(screen, name)
  await opened.evaluate(async (database, storeName) => {
    const transaction = database.transaction(storeName, 'readwrite')
    transaction.objectStore(storeName).clear()
    await new Promise((resolve) => {
      transaction.oncomplete = resolve
    })
    database.close()
  }, store)
}

/** Writes a record as it is, which may be one that the broker never writes. */
export async function putRecord(
  screen: Page,
  name: string,
  store: string,
  key: IDBValidKey,
  record: unknown,
): Promise<void> {
  const opened = await openDatabase(screen, name)
  await opened.evaluate(
    async (database, storeName, recordKey, value) => {
      const transaction = database.transaction(storeName, 'readwrite')
      transaction.objectStore(storeName).put(value, recordKey)
      await new Promise((resolve) => {
        transaction.oncomplete = resolve
      })
      database.close()
    },
    store,
    key,
    record,
  )
}
