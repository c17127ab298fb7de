/**
 * Opens an IndexedDB database with one object store. A failed open is retried twice after a short pause,
 * since another process of the browser may lock the database. After that the call fails with
 * `storage_unavailable`, and the next call opens the database again. There is no fallback to memory: a step
 * that cannot be repeated is stored before it is executed, or it is not executed.
 */

import { createStore, type UseStore } from 'idb-keyval'
import { FIRST_DATABASE_PAUSE_MS, SECOND_DATABASE_PAUSE_MS } from '../../limits.ts'
import { storageUnavailable } from './broker-error.ts'

const PAUSES_MS = [FIRST_DATABASE_PAUSE_MS, SECOND_DATABASE_PAUSE_MS]

/** Adds jitter to a pause, so that stores that failed at the same time do not retry at the same time. */
const addJitter = (ms: number) => {
  const [random = 0] = crypto.getRandomValues(new Uint8Array(1))
  return ms * (0.5 + random / 256)
}

/** @param pausesMs Pauses before the retries. */
export function openDatabase(name: string, storeName: string, pausesMs = PAUSES_MS): UseStore {
  const store = createStore(name, storeName)
  return async (mode, callback) => {
    for (const pause of [...pausesMs, undefined]) {
      let isOpen = false
      try {
        return await store(mode, (objects) => {
          isOpen = true
          return callback(objects)
        })
      } catch {
        if (isOpen || pause === undefined) break
        await new Promise((resolve) => setTimeout(resolve, addJitter(pause)))
      }
    }
    throw storageUnavailable()
  }
}
