/**
 * Grants: what the user allowed an origin. A grant holds no secret, so it outlives the browser; its
 * tokens do not. It belongs to one exact origin, and every look-up asks for that origin.
 */

import { createStore, del, get, set, values } from 'idb-keyval'
import browser from 'webextension-polyfill'
import type { ApiAccess, Grant } from '../../shared/messages/page-api.ts'
import type { Lifetime } from '../../shared/messages/screen-channel.ts'
import { noGrant } from './refusal.ts'

export interface GrantRecord extends Grant {
  origin: string
  applicationName: string
  operatorName: string
  lifetime: Lifetime
  /** Names the browser session in which the grant was made. */
  session: string
}

const HOUR_MS = 3_600_000
const LIFETIME_MS: Record<Lifetime, number> = {
  session: 24 * HOUR_MS,
  day: 24 * HOUR_MS,
  month: 30 * 24 * HOUR_MS,
}

const store = createStore('northkey-grants', 'grants')
const SESSION = 'session'

/** A name for this browser session: it ends with `storage.session`. */
export async function currentSession(): Promise<string> {
  const stored = (await browser.storage.session.get(SESSION))[SESSION]
  if (typeof stored === 'string') return stored
  const session = crypto.randomUUID()
  await browser.storage.session.set({ [SESSION]: session })
  return session
}

export function expiryOf(lifetime: Lifetime, now: number): number {
  return now + LIFETIME_MS[lifetime]
}

export function isAlive(grant: GrantRecord, session: string, now: number): boolean {
  return grant.expiresAt > now && (grant.lifetime !== 'session' || grant.session === session)
}

/** Whether one of the granted APIs is this resource with at least these scopes. */
export function covers(granted: ApiAccess[], wanted: ApiAccess): boolean {
  return granted.some(
    (api) =>
      api.resource === wanted.resource &&
      api.purpose === wanted.purpose &&
      wanted.scope.split(' ').every((word) => api.scope.split(' ').includes(word)),
  )
}

/** What the page may see of it. */
export function publicGrant(record: GrantRecord): Grant {
  const { grantId, issuer, clientId, mode, apis, subject, tokenType, createdAt, expiresAt } = record
  return { grantId, issuer, clientId, mode, apis, subject, tokenType, createdAt, expiresAt }
}

export async function allGrants(): Promise<GrantRecord[]> {
  const session = await currentSession()
  const records = await values<GrantRecord>(store)
  return records.filter((record) => isAlive(record, session, Date.now()))
}

export async function grantsOf(origin: string): Promise<GrantRecord[]> {
  return (await allGrants()).filter((record) => record.origin === origin)
}

/** @throws Refusal `no_grant` */
export async function grantOf(origin: string, grantId: string): Promise<GrantRecord> {
  const record = await get<GrantRecord>(grantId, store)
  const alive = record && isAlive(record, await currentSession(), Date.now())
  if (!alive || record.origin !== origin) throw noGrant()
  return record
}

export function saveGrant(record: GrantRecord): Promise<void> {
  return set(record.grantId, record, store)
}

export function deleteGrant(grantId: string): Promise<void> {
  return del(grantId, store)
}

/** Removes the grants whose time is over, and says which. */
export async function sweepGrants(): Promise<string[]> {
  const session = await currentSession()
  const records = await values<GrantRecord>(store)
  const over = records.filter((record) => !isAlive(record, session, Date.now()))
  await Promise.all(over.map(({ grantId }) => deleteGrant(grantId)))
  return over.map(({ grantId }) => grantId)
}
