/**
 * Seals a record before it goes to the disk, with AES-GCM. The record's name is additional data, so a
 * record moved to another name does not open.
 *
 * @see NIST SP 800-38D; a fresh 96-bit IV per write
 */

const IV_BYTES = 12

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  data: ArrayBuffer
}

export async function sealValue(key: CryptoKey, name: string, value: unknown): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const additionalData = new TextEncoder().encode(name)
  const plain = new TextEncoder().encode(JSON.stringify(value))
  const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, plain)
  return { iv, data }
}

/** The record, or `undefined` where it was sealed under another key or under another name. */
export async function unsealValue(key: CryptoKey, name: string, sealed: Sealed): Promise<unknown> {
  const additionalData = new TextEncoder().encode(name)
  try {
    const algorithm = { name: 'AES-GCM', iv: sealed.iv, additionalData }
    const plain = await crypto.subtle.decrypt(algorithm, key, sealed.data)
    return JSON.parse(new TextDecoder().decode(plain))
  } catch {
    return undefined
  }
}
