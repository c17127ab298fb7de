/**
 * Subscriber of a grant, and the subject handle that a page gets for the subscriber: a pairwise pseudonym,
 * stable for one origin and different for every other origin. It does not reveal the subject identifier of
 * the operator. The salt is in IndexedDB, which content scripts cannot reach.
 *
 * - A subscriber is identified by an ID token alone. The authorization that creates a grant decides whether
 *   its subscriber is identified. Each later authorization for the grant then has to bring an ID token of the
 *   same subscriber.
 * - Without ID token the handle stands for the authorization. Nobody can tell whether another authorization
 *   is for the same subscriber, so it brings another handle.
 *
 * @see OpenID Connect Core sections 3.1.3.7 and 8.1
 */

import { get, update } from 'idb-keyval'
import { base64url } from '../../../shared/core/base64url.ts'
import { ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { BrokerError } from '../platform/broker-error.ts'
import { openStore } from '../platform/stores.ts'
import type { AuthorizationResult } from './authorization-result.ts'
import type { GrantRecord } from './grants.ts'

const SALT = 'salt'
const store = openStore('subject')

/** Reads the salt, or creates it in one step, so that concurrent callers get the same salt. */
async function readSalt(): Promise<Uint8Array<ArrayBuffer>> {
  const known = await get<Uint8Array<ArrayBuffer>>(SALT, store)
  if (known) return known
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
 * The subscriber of an authorization.
 *
 * @param authorizationId Random identifier of the authorization, from which the handle is made where the
 * subscriber is not identified.
 */
export async function identifySubscriber(
  { issuer, origin }: Pick<GrantRecord, 'issuer' | 'origin'>,
  authorizationId: string,
  { tokens: { subject } }: AuthorizationResult,
): Promise<Pick<GrantRecord, 'subject' | 'subscriber'>> {
  return {
    subject: await computeSubjectHandle(issuer, subject ?? authorizationId, origin),
    subscriber: subject === undefined ? 'unidentified' : 'identified',
  }
}

/**
 * Tells whether an authorization is for the subscriber of the grant. Tokens end with the browser and the grant
 * does not, so the handle in the grant is compared.
 *
 * @returns `false` for another subscriber, and where the subscriber of the grant is not identified.
 * @throws BrokerError `invalid_id_token` for an authorization without ID token.
 */
export async function isSameSubscriber(
  { issuer, origin, subject, subscriber }: GrantRecord,
  { tokens }: AuthorizationResult,
): Promise<boolean> {
  if (subscriber !== 'identified') return false
  if (tokens.subject === undefined) {
    throw new BrokerError(
      ERROR_CODE.untrustedResponse,
      'invalid_id_token',
      'the ID token is missing: the subscriber of this grant is identified by one',
    )
  }
  return (await computeSubjectHandle(issuer, tokens.subject, origin)) === subject
}
