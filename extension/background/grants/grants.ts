/**
 * Grants: what the user allowed an origin. A grant holds no secret, so it outlives the browser; its
 * tokens do not. It belongs to one exact origin, and its key in the database begins with that origin.
 */

import { del, promisifyRequest, set, values } from 'idb-keyval'
import browser from 'webextension-polyfill'
import type { ApiAccess, Grant } from '../../../shared/messages/page-api.ts'
import type { Lifetime } from '../../../shared/messages/screen-channel.ts'
import {
  DAY_GRANT_LIFETIME_MS,
  GRANT_EXTENSION_STEP_MS,
  MONTH_GRANT_LIFETIME_MS,
  ONCE_GRANT_LIFETIME_MS,
  SESSION_GRANT_LIFETIME_MS,
} from '../../limits.ts'
import { noGrant } from '../platform/broker-error.ts'
import { wakeAt } from '../platform/housekeeping-alarm.ts'
import { memoize, memoizeByKey } from '../platform/memoize.ts'
import { bumpStateVersion } from '../platform/state-version.ts'
import { openStore } from '../platform/stores.ts'

export interface GrantRecord extends Grant {
  origin: string
  applicationName: string
  operatorName: string
  lifetime: Lifetime
  /** Names the browser session in which the grant was made. */
  session: string
}

/** `once` covers what a page does in one go; `month` begins anew with each use. */
const LIFETIME_MS: Record<Lifetime, number> = {
  once: ONCE_GRANT_LIFETIME_MS,
  session: SESSION_GRANT_LIFETIME_MS,
  day: DAY_GRANT_LIFETIME_MS,
  month: MONTH_GRANT_LIFETIME_MS,
}

const store = openStore('grants')
const SESSION = 'session'

interface Granted {
  records: GrantRecord[]
  session: string
}

/** The grants of the origins asked for since the worker woke up. */
const grantsByOrigin = memoizeByKey(readOrigin)

function invalidate({ origin }: Pick<GrantRecord, 'origin'>): void {
  grantsByOrigin.delete(origin)
  bumpStateVersion()
}

/** Grants that ended while this worker lives: nothing that comes late brings them back. */
const ended = new Set<string>()

const keyOf = ({ origin, grantId }: Pick<GrantRecord, 'origin' | 'grantId'>) => [origin, grantId]

async function readSession(): Promise<string> {
  const stored = (await browser.storage.session.get(SESSION))[SESSION]
  if (typeof stored === 'string') return stored
  const name = crypto.randomUUID()
  await browser.storage.session.set({ [SESSION]: name })
  return name
}

/** A name for this browser session: it ends with `storage.session`. */
export const getSessionName = memoize(readSession)

export function computeExpiry(lifetime: Lifetime, now: number): number {
  return now + LIFETIME_MS[lifetime]
}

export function isActive(grant: GrantRecord, current: string, now: number): boolean {
  const bound = grant.lifetime === 'session' || grant.lifetime === 'once'
  return grant.expiresAt > now && (!bound || grant.session === current)
}

/** Whether one of the granted APIs is this resource, for this purpose, with at least these scopes. */
export function coversApi(granted: ApiAccess[], wanted: ApiAccess): boolean {
  return granted.some(
    (api) =>
      api.resource === wanted.resource &&
      api.purpose === wanted.purpose &&
      wanted.scope.split(' ').every((word) => api.scope.split(' ').includes(word)),
  )
}

/** What the page may see of it. */
export function toPublicGrant(record: GrantRecord): Grant {
  const { grantId, issuer, clientId, mode, apis, subject, tokenType, createdAt, expiresAt } = record
  return { grantId, issuer, clientId, mode, apis, subject, tokenType, createdAt, expiresAt }
}

/** The latest first: where a page names none, it means what the user allowed last. */
async function readOrigin(origin: string): Promise<Granted> {
  const records: GrantRecord[] = await store('readonly', (grants) =>
    promisifyRequest(grants.getAll(IDBKeyRange.bound([origin], [origin, []]))),
  )
  records.sort((former, latter) => latter.createdAt - former.createdAt)
  return { records, session: await getSessionName() }
}

/** Opens the database, so that it is open when a call comes. */
export async function openGrants(): Promise<void> {
  await Promise.all([getSessionName(), store('readonly', (grants) => grants.name)])
}

/** Every living grant, for the broker's own screens. */
export async function listAllGrants(): Promise<GrantRecord[]> {
  const current = await getSessionName()
  const records = await values<GrantRecord>(store)
  return records.filter((record) => isActive(record, current, Date.now()))
}

export async function listGrants(origin: string): Promise<GrantRecord[]> {
  const { records, session } = await grantsByOrigin.get(origin)
  return records.filter((record) => isActive(record, session, Date.now()))
}

/** @throws BrokerError `no_grant` */
export async function getGrant(origin: string, grantId: string): Promise<GrantRecord> {
  const record = (await listGrants(origin)).find((candidate) => candidate.grantId === grantId)
  if (!record) throw noGrant()
  return record
}

/** @throws BrokerError `no_grant` where the grant has ended meanwhile. */
export async function saveGrant(record: GrantRecord): Promise<void> {
  if (!ended.has(record.grantId)) await set(keyOf(record), record, store)
  invalidate(record)
  if (!ended.has(record.grantId)) return wakeAt(record.expiresAt)
  await deleteGrant(record)
  throw noGrant()
}

export const hasGrantEnded = (grantId: string): boolean => ended.has(grantId)

export async function deleteGrant(record: Pick<GrantRecord, 'origin' | 'grantId'>): Promise<void> {
  ended.add(record.grantId)
  bumpStateVersion()
  await del(keyOf(record), store)
  invalidate(record)
}

/** A grant that is used begins its thirty days anew, at most once an hour. */
export async function extendGrant(record: GrantRecord): Promise<void> {
  const expiresAt = computeExpiry(record.lifetime, Date.now())
  if (record.lifetime !== 'month' || expiresAt - record.expiresAt < GRANT_EXTENSION_STEP_MS) return
  await saveGrant({ ...record, expiresAt })
}

/**
 * Removes the grants whose time is over, says which, and sees to it that the next one ends on time.
 * They are judged in the transaction that removes them: one that is saved meanwhile is not lost.
 */
export async function sweepGrants(): Promise<GrantRecord[]> {
  const current = await getSessionName()
  const [over, living] = await store('readwrite', async (grants) => {
    const records: GrantRecord[] = await promisifyRequest(grants.getAll())
    const now = Date.now()
    const over = records.filter((record) => !isActive(record, current, now))
    for (const record of over) {
      ended.add(record.grantId)
      grants.delete(keyOf(record))
    }
    await promisifyRequest(grants.transaction)
    return [over, records.filter((record) => !over.includes(record))] as const
  })
  grantsByOrigin.clear()
  bumpStateVersion()
  for (const { expiresAt } of living) await wakeAt(expiresAt)
  return over
}
