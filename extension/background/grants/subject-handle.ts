/**
 * Computes the subject handle that a page gets for the subscriber: a pairwise pseudonym, stable for one
 * origin and different for every other origin. It does not reveal the subject identifier of the operator.
 * The salt is in IndexedDB, which content scripts cannot reach.
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

/** Reads the salt, or creates it in one step, so that concurrent callers get the same salt. */
async function readSalt(): Promise<Uint8Array<ArrayBuffer>> {
  const fresh = crypto.getRandomValues(new Uint8Array(32))
  await update<Uint8Array<ArrayBuffer>>(SALT, (salt) => salt ?? fresh, store)
  return (await get<Uint8Array<ArrayBuffer>>(SALT, store)) ?? fresh
}

/** @returns 128 bits of an HMAC-SHA-256, as base64url. */
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
 * Tells whether an authorization has the same subject as the grant. The check is needed because tokens end
 * with the browser and the grant does not. Without a subject in the first authorization the handle came
 * from the grant's identifier, and later subjects are not compared.
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
