/**
 * The handle under which a page knows the subscriber: stable for one origin, different for every other,
 * and no way back to the identifier that the operator uses.
 *
 * @see OpenID Connect Core section 8.1
 */

import browser from 'webextension-polyfill'
import { base64url } from '../../shared/core/base64url.ts'

const SALT = 'subjectSalt'

async function readSalt(): Promise<number[]> {
  const stored = (await browser.storage.local.get(SALT))[SALT]
  if (Array.isArray(stored)) return stored as number[]
  const salt = [...crypto.getRandomValues(new Uint8Array(32))]
  await browser.storage.local.set({ [SALT]: salt })
  return salt
}

export async function subjectHandle(
  issuer: string,
  subject: string,
  origin: string,
): Promise<string> {
  const salt = new Uint8Array(await readSalt())
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', salt, algorithm, false, ['sign'])
  const input = new TextEncoder().encode(JSON.stringify([issuer, subject, origin]))
  const mac = await crypto.subtle.sign('HMAC', key, input)
  return base64url(new Uint8Array(mac).subarray(0, 16))
}
