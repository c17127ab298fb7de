/**
 * Provides the sealing key: the AES-GCM key that encrypts records. It is in `storage.session`, which is
 * memory: the key survives the worker and ends with the browser session. After that its records are
 * unreadable.
 */

import browser from 'webextension-polyfill'
import { memoize } from './memoize.ts'

const KEY_NAME = 'sealingKey'

async function readKey(): Promise<CryptoKey> {
  const stored = (await browser.storage.session.get(KEY_NAME))[KEY_NAME]
  let bytes = Array.isArray(stored) ? new Uint8Array(stored as number[]) : undefined
  if (!bytes) {
    bytes = crypto.getRandomValues(new Uint8Array(32))
    await browser.storage.session.set({ [KEY_NAME]: [...bytes] })
  }
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, [
    'encrypt',
    'decrypt',
    'wrapKey',
    'unwrapKey',
  ])
}

/** Returns the key of this browser session, and creates it at the first call. */
export const sealingKey = memoize(readKey)
