/**
 * Keys of this UE: one for the DPoP proofs of each grant, one for each client that authenticates with a
 * key. Made extractable only to be wrapped under the sealing key; what is used cannot be exported, and
 * what lies on the disk cannot be read without that key.
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
const unwrapped = memoizeByKey(unwrap)

function wrapping(id: string, iv: Uint8Array<ArrayBuffer>): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(`keys/${id}`) }
}

async function unwrap(id: string): Promise<DpopKey | undefined> {
  const wrapped = await get<WrappedKey>(id, store)
  if (!wrapped) return undefined
  // Without it nobody can say whether the key is lost.
  const sealing = await sealingKey()
  try {
    const algorithm = wrapping(id, wrapped.iv)
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

/** The key of this name, or `undefined` where there is none that this browser session can open. */
export const getKey = (id: string): Promise<DpopKey | undefined> => unwrapped.get(id)

/** A new key under this name, on the disk before it is used. */
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
        wrapping(id, iv),
      ),
      publicKey: await crypto.subtle.exportKey('jwk', publicKey),
    } satisfies WrappedKey,
    store,
  )
  unwrapped.delete(id)
  const key = await getKey(id)
  if (!key) throw new Error('the key cannot be read back')
  return key
}

export async function deleteKey(id: string): Promise<void> {
  unwrapped.delete(id)
  await del(id, store)
}

/** Removes the keys that this browser session cannot open. */
export async function sweepKeys(): Promise<void> {
  for (const id of await keys<string>(store)) if (!(await getKey(id))) await deleteKey(id)
}
