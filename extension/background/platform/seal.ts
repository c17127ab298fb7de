/**
 * Seals (encrypts) a record with AES-GCM before it is written to the disk. The name of the record is the
 * additional authenticated data, so a record that was moved to another name does not decrypt. Each write
 * has a new 96-bit IV.
 *
 * @see NIST SP 800-38D
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

/** Decrypts a record. `undefined`: it was sealed under another key or another name, or it is damaged. */
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
