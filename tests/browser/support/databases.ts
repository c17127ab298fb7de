/** Changes the broker's databases from a page of the broker's own origin. */

import type { Page } from 'puppeteer-core'

/** Deletes all records of a store. */
export async function clearStore(screen: Page, database: string, store: string): Promise<void> {
  await screen.evaluate(
    async (databaseName, storeName) => {
      const opened = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open(databaseName)
        opening.onsuccess = () => resolve(opening.result)
        opening.onerror = () => reject(opening.error)
      })
      const transaction = opened.transaction(storeName, 'readwrite')
      transaction.objectStore(storeName).clear()
      await new Promise((resolve) => {
        transaction.oncomplete = resolve
      })
      opened.close()
    },
    database,
    store,
  )
}
