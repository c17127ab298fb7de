/**
 * The handle under which a page knows the subscriber: stable for one origin, different for every other,
 * and no way back to the identifier that the operator uses. The salt lies in IndexedDB, out of reach of
 * content scripts.
 *
 * @see OpenID Connect Core section 8.1
 */

import { get, update } from 'idb-keyval'
import { base64url } from '../../../shared/core/base64url.ts'
import { openStore } from '../platform/stores.ts'
import type { AuthorizationResult } from './authorization-result.ts'
import type { GrantRecord } from './grants.ts'

const SALT = 'salt'
const store = openStore('subject')

/** Made when first asked for, in one step, so that two who ask at once get the same. */
async function readSalt(): Promise<Uint8Array<ArrayBuffer>> {
  const fresh = crypto.getRandomValues(new Uint8Array(32))
  await update<Uint8Array<ArrayBuffer>>(SALT, (salt) => salt ?? fresh, store)
  return (await get<Uint8Array<ArrayBuffer>>(SALT, store)) ?? fresh
}

export async function computeSubjectHandle(
  issuer: string,
  subject: string,
  origin: string,
): Promise<string> {
  const salt = await readSalt()
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', salt, algorithm, false, ['sign'])
  const input = new TextEncoder().encode(JSON.stringify([issuer, subject, origin]))
  const mac = await crypto.subtle.sign('HMAC', key, input)
  return base64url(new Uint8Array(mac).subarray(0, 16))
}

/**
 * Whether an authorization is about the subscriber that the grant is about: tokens end with the
 * browser, the grant does not. An operator that named nobody at first is not asked later.
 */
export async function isSameSubject(
  grant: GrantRecord,
  { tokens }: AuthorizationResult,
): Promise<boolean> {
  const { issuer, origin, grantId, subject } = grant
  if (tokens.subject === undefined) return true
  if ((await computeSubjectHandle(issuer, tokens.subject, origin)) === subject) return true
  return (await computeSubjectHandle(issuer, grantId, origin)) === subject
}
