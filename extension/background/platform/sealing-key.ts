/**
 * The key that seals records. It lives in `storage.session`, which is memory: it survives the worker
 * and ends with the browser, and what it sealed is unreadable from then on.
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

/** The key of this browser session, made when first asked for. */
export const sealingKey = memoize(readKey)
