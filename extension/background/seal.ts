/**
 * Seals a record before it goes to the disk: AES-GCM under a key that lives in `storage.session`, which
 * is memory. The key survives the worker and ends with the browser; what it sealed is then unreadable.
 * The record's name is additional data, so a record moved to another name does not open.
 *
 * @see NIST SP 800-38D; a fresh 96-bit IV per write
 */

import browser from 'webextension-polyfill'

const KEY_NAME = 'sealingKey'
const IV_BYTES = 12

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  data: ArrayBuffer
}

export async function seal(key: CryptoKey, name: string, value: unknown): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const additionalData = new TextEncoder().encode(name)
  const plain = new TextEncoder().encode(JSON.stringify(value))
  const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, plain)
  return { iv, data }
}

/** The record, or `undefined` where it was sealed under another key or under another name. */
export async function open(key: CryptoKey, name: string, sealed: Sealed): Promise<unknown> {
  const additionalData = new TextEncoder().encode(name)
  try {
    const algorithm = { name: 'AES-GCM', iv: sealed.iv, additionalData }
    const plain = await crypto.subtle.decrypt(algorithm, key, sealed.data)
    return JSON.parse(new TextDecoder().decode(plain))
  } catch {
    return undefined
  }
}

async function readKey(): Promise<CryptoKey> {
  const stored = (await browser.storage.session.get(KEY_NAME))[KEY_NAME]
  let bytes = Array.isArray(stored) ? new Uint8Array(stored as number[]) : undefined
  if (!bytes) {
    bytes = crypto.getRandomValues(new Uint8Array(32))
    await browser.storage.session.set({ [KEY_NAME]: [...bytes] })
  }
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

let key: Promise<CryptoKey> | undefined

/** The key of this browser session, made when first asked for. */
export function sealingKey(): Promise<CryptoKey> {
  key ??= readKey()
  return key
}
