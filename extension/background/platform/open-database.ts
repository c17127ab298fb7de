/**
 * One object store in a database of its own. A database that does not open is tried again after a
 * moment, since another process of the browser may hold it; what fails then is told as
 * `storage_unavailable`, and the next call tries anew. There is no memory in its place: a step that
 * cannot be repeated is written down before it is taken, or not taken.
 */

import { createStore, type UseStore } from 'idb-keyval'
import { FIRST_DATABASE_PAUSE_MS, SECOND_DATABASE_PAUSE_MS } from '../../limits.ts'
import { storageUnavailable } from './broker-error.ts'

const PAUSES_MS = [FIRST_DATABASE_PAUSE_MS, SECOND_DATABASE_PAUSE_MS]

/** Somewhere around the pause, so that several that failed together do not try together. */
const jitter = (ms: number) => {
  const [any = 0] = crypto.getRandomValues(new Uint8Array(1))
  return ms * (0.5 + any / 256)
}

export function openDatabase(name: string, storeName: string, pausesMs = PAUSES_MS): UseStore {
  const store = createStore(name, storeName)
  return async (mode, callback) => {
    for (const pause of [...pausesMs, undefined]) {
      let begun = false
      try {
        return await store(mode, (objects) => {
          begun = true
          return callback(objects)
        })
      } catch {
        if (begun || pause === undefined) break
        await new Promise((resolve) => setTimeout(resolve, jitter(pause)))
      }
    }
    throw storageUnavailable()
  }
}
