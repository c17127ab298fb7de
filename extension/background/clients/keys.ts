/**
 * Creates and stores the key pairs of this UE: one for the DPoP proofs of each grant, and one for each
 * client that authenticates with `private_key_jwt`. A private key is extractable only until it is wrapped
 * under the sealing key. The key in use cannot be exported, and the key on the disk cannot be read without
 * the sealing key.
 *
 * @see RFC 9449 section 11.2, RFC 7523
 */

import { del, get, keys, set } from 'idb-keyval'
import { createDpopKey, type DpopKey } from '../../../shared/core/index.ts'
import { memoizeByKey } from '../platform/memoize.ts'
import { sealingKey } from '../platform/sealing-key.ts'
import { openStore } from '../platform/stores.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' }
const IV_BYTES = 12

interface WrappedKey {
  iv: Uint8Array<ArrayBuffer>
  privateKey: ArrayBuffer
  publicKey: JsonWebKey
}

const store = openStore('keys')
const unwrappedKeys = memoizeByKey(readKey)

function getWrapAlgorithm(id: string, iv: Uint8Array<ArrayBuffer>): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(`keys/${id}`) }
}

async function readKey(id: string): Promise<DpopKey | undefined> {
  const wrapped = await get<WrappedKey>(id, store)
  if (!wrapped) return undefined
  // Outside of `try`: an unreadable sealing key does not mean that this key is lost.
  const sealing = await sealingKey()
  try {
    const algorithm = getWrapAlgorithm(id, wrapped.iv)
    const [privateKey, publicKey] = await Promise.all([
      crypto.subtle.unwrapKey('pkcs8', wrapped.privateKey, sealing, algorithm, ALGORITHM, false, [
        'sign',
      ]),
      crypto.subtle.importKey('jwk', wrapped.publicKey, ALGORITHM, true, ['verify']),
    ])
    return { privateKey, publicKey, nonces: new Map() }
  } catch {
    return undefined
  }
}

/** Returns the key of this name, or `undefined` when there is none that this browser session can unwrap. */
export const getKey = (id: string): Promise<DpopKey | undefined> => unwrappedKeys.get(id)

/** Creates a key under this name. The key is on the disk before it is used. */
export async function createKey(id: string): Promise<DpopKey> {
  const { privateKey, publicKey } = await createDpopKey({ extractable: true })
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  await set(
    id,
    {
      iv,
      privateKey: await crypto.subtle.wrapKey(
        'pkcs8',
        privateKey,
        await sealingKey(),
        getWrapAlgorithm(id, iv),
      ),
      publicKey: await crypto.subtle.exportKey('jwk', publicKey),
    } satisfies WrappedKey,
    store,
  )
  unwrappedKeys.delete(id)
  const key = await getKey(id)
  if (!key) throw new Error('the key cannot be read back')
  return key
}

export async function deleteKey(id: string): Promise<void> {
  unwrappedKeys.delete(id)
  await del(id, store)
}

/** Deletes the keys that this browser session cannot unwrap. */
export async function sweepKeys(): Promise<void> {
  for (const id of await keys<string>(store)) if (!(await getKey(id))) await deleteKey(id)
}
