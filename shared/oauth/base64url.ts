/**
 * Encodes and decodes base64url without padding. It has its own table because it runs for each PKCE pair,
 * proof and hash, where `btoa` over a string would take half of the time.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0))

/**
 * The encoded octets as ASCII codes, for callers that hash them next.
 * @see RFC 7515 section 2, RFC 7636 appendix A
 */
export function base64urlCodes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = bytes
  const codes = new Uint8Array(Math.ceil((length * 4) / 3))
  let at = 0
  for (let index = 0; index < length; index += 3) {
    const a = bytes[index] as number
    const b = bytes[index + 1] ?? 0
    const c = bytes[index + 2] ?? 0
    codes[at++] = CODES[a >> 2] as number
    codes[at++] = CODES[((a & 3) << 4) | (b >> 4)] as number
    // A write past the end of a typed array is ignored; this drops the padding.
    codes[at++] = CODES[((b & 15) << 2) | (c >> 6)] as number
    codes[at++] = CODES[c & 63] as number
  }
  return codes
}

const CHUNK = 0x2000

/** Converts ASCII codes to a string. */
export function asciiString(codes: Uint8Array): string {
  if (codes.length <= CHUNK) return String.fromCharCode.apply(null, codes as unknown as number[])
  let text = ''
  for (let index = 0; index < codes.length; index += CHUNK) {
    text += asciiString(codes.subarray(index, index + CHUNK))
  }
  return text
}

/** Encodes octets as base64url without padding. @see RFC 7515 section 2, RFC 7636 appendix A */
export function base64url(bytes: Uint8Array): string {
  return asciiString(base64urlCodes(bytes))
}

/**
 * Decodes a base64url string. Returns `undefined` for padding, white space and characters of the base64
 * alphabet.
 * @see RFC 7515 section 2
 */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}
