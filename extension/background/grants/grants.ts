/**
 * Stores grants: the permissions that the user gave to an origin. A grant contains no secret, so it outlives
 * the browser; its tokens do not. A grant belongs to exactly one origin, and its key in the database begins
 * with that origin.
 *
 * Border: tokens are in `token-records.ts`.
 */

import { del, promisifyRequest, set, values } from 'idb-keyval'
import browser from 'webextension-polyfill'
import type { ApiRequest, Grant } from '../../../shared/messages/page-api.ts'
import type { Lifetime } from '../../../shared/messages/screen-channel.ts'
import { scopeWords } from '../../../shared/oauth/scope.ts'
import {
  BRIEF_GRANT_LIFETIME_MS,
  DAY_GRANT_LIFETIME_MS,
  GRANT_EXTENSION_STEP_MS,
  MONTH_GRANT_LIFETIME_MS,
  ONCE_GRANT_LIFETIME_MS,
  SESSION_GRANT_LIFETIME_MS,
} from '../../limits.ts'
import { grantEnded, noGrant } from '../platform/broker-error.ts'
import { wakeAt } from '../platform/housekeeping-alarm.ts'
import { memoize, memoizeByKey } from '../platform/memoize.ts'
import { bumpStateVersion } from '../platform/state-version.ts'
import { openStore } from '../platform/stores.ts'
import { hasGrantEnded, markGrantEnded } from './ended-grants.ts'

export interface GrantRecord extends Grant {
  origin: string
  applicationName: string
  operatorName: string
  lifetime: Lifetime
  /** Name of the browser session in which the grant was created. */
  session: string
  /** Whether an ID token has identified the subscriber. @see subject-handle.ts */
  subscriber: 'identified' | 'unidentified'
}

/** `once` is enough for one task at one sitting; `month` starts again with each use. */
const LIFETIME_MS: Record<Lifetime, number> = {
  once: ONCE_GRANT_LIFETIME_MS,
  session: SESSION_GRANT_LIFETIME_MS,
  day: DAY_GRANT_LIFETIME_MS,
  month: MONTH_GRANT_LIFETIME_MS,
  brief: BRIEF_GRANT_LIFETIME_MS,
}

const store = openStore('grants')
const SESSION = 'session'

interface OriginGrants {
  records: GrantRecord[]
  session: string
}

/** Cache of the grants by origin, for the life of this worker. */
const grantsByOrigin = memoizeByKey(readOrigin)

function invalidateCache({ origin }: Pick<GrantRecord, 'origin'>): void {
  grantsByOrigin.delete(origin)
  bumpStateVersion()
}

const getRecordKey = ({ origin, grantId }: Pick<GrantRecord, 'origin' | 'grantId'>) => [
  origin,
  grantId,
]

async function readSession(): Promise<string> {
  const stored = (await browser.storage.session.get(SESSION))[SESSION]
  if (typeof stored === 'string') return stored
  const name = crypto.randomUUID()
  await browser.storage.session.set({ [SESSION]: name })
  return name
}

/** Name of this browser session. It is in `storage.session`, which ends with the session. */
export const getSessionName = memoize(readSession)

/** @returns Time in milliseconds. */
export function computeExpiry(lifetime: Lifetime, now: number): number {
  return now + LIFETIME_MS[lifetime]
}

export function isActive(grant: GrantRecord, current: string, now: number): boolean {
  const isSessionBound = grant.lifetime === 'session' || grant.lifetime === 'once'
  return grant.expiresAt > now && (!isSessionBound || grant.session === current)
}

/** The deletion of a grant that has ended may still be running. */
const isUsable = (record: GrantRecord, session: string) =>
  !hasGrantEnded(record.grantId) && isActive(record, session, Date.now())

/** Tells whether a granted scope contains all words of another scope. */
export function coversScope(granted: string, wanted: string): boolean {
  const words = scopeWords(granted)
  return scopeWords(wanted).every((word) => words.includes(word))
}

/**
 * Tells whether the granted APIs contain this resource, for the same purpose, with all requested scope
 * words.
 */
export function coversApi(granted: readonly ApiRequest[], wanted: ApiRequest): boolean {
  return granted.some(
    (api) =>
      api.resource === wanted.resource &&
      api.purpose === wanted.purpose &&
      coversScope(api.scope ?? '', wanted.scope ?? ''),
  )
}

/** Selects the members of a grant that the page may see. */
export function toPublicGrant(record: GrantRecord): Grant {
  const { grantId, issuer, clientId, mode, apis, subject, tokenType, createdAt, expiresAt } = record
  return { grantId, issuer, clientId, mode, apis, subject, tokenType, createdAt, expiresAt }
}

/** Reads the newest grant first: a page that names no grant means the grant that the user gave last. */
async function readOrigin(origin: string): Promise<OriginGrants> {
  const records: GrantRecord[] = await store('readonly', (grants) =>
    promisifyRequest(grants.getAll(IDBKeyRange.bound([origin], [origin, []]))),
  )
  records.sort((former, latter) => latter.createdAt - former.createdAt)
  return { records, session: await getSessionName() }
}

/** Opens the database before the first call needs it. */
export async function openGrants(): Promise<void> {
  await Promise.all([getSessionName(), store('readonly', (grants) => grants.name)])
}

/** Lists the active grants of all origins. Pages get the grants of their own origin only. */
export async function listAllGrants(): Promise<GrantRecord[]> {
  const current = await getSessionName()
  const records = await values<GrantRecord>(store)
  return records.filter((record) => isUsable(record, current))
}

export async function listGrants(origin: string): Promise<GrantRecord[]> {
  const { records, session } = await grantsByOrigin.get(origin)
  return records.filter((record) => isUsable(record, session))
}

/** @throws BrokerError `no_grant` */
export async function getGrant(origin: string, grantId: string): Promise<GrantRecord> {
  const grants = await listGrants(origin)
  const record = grants.find((candidate) => candidate.grantId === grantId)
  if (!record) {
    throw noGrant(
      grants.length === 0
        ? 'this origin has no active grant'
        : 'no active grant of this origin has the grantId of the call',
    )
  }
  return record
}

/**
 * A late write does not restore a grant that has ended.
 *
 * @throws BrokerError `no_grant` when the grant has ended in the meantime.
 */
export async function saveGrant(record: GrantRecord): Promise<void> {
  if (!hasGrantEnded(record.grantId)) await set(getRecordKey(record), record, store)
  invalidateCache(record)
  if (!hasGrantEnded(record.grantId)) return wakeAt(record.expiresAt)
  await deleteGrant(record)
  throw grantEnded()
}

/** @param successorId The grant that replaces it and covers all of its APIs. */
export async function deleteGrant(
  record: Pick<GrantRecord, 'origin' | 'grantId'>,
  successorId?: string,
): Promise<void> {
  markGrantEnded(record.grantId, successorId)
  bumpStateVersion()
  await del(getRecordKey(record), store)
  invalidateCache(record)
}

/**
 * Changes members of a stored grant. The caller may have read the grant before another change: the stored record
 * is read and written in one transaction.
 *
 * @param change Returns the members that change.
 * @throws BrokerError `no_grant` when the grant has ended in the meantime.
 */
export async function changeGrant(
  record: Pick<GrantRecord, 'origin' | 'grantId'>,
  change: (stored: GrantRecord) => Partial<GrantRecord>,
): Promise<void> {
  const isStored = await store('readwrite', async (grants) => {
    const key = getRecordKey(record)
    const stored: GrantRecord | undefined = await promisifyRequest(grants.get(key))
    if (stored) grants.put({ ...stored, ...change(stored) }, key)
    await promisifyRequest(grants.transaction)
    return stored !== undefined
  })
  invalidateCache(record)
  if (!isStored) throw grantEnded()
}

/**
 * Extends a grant of lifetime `month` by its use. To save writes it does so at most once an hour.
 *
 * @throws BrokerError `no_grant` when the grant has ended in the meantime.
 */
export async function extendGrant(record: GrantRecord): Promise<void> {
  const expiresAt = computeExpiry(record.lifetime, Date.now())
  if (record.lifetime !== 'month' || expiresAt - record.expiresAt < GRANT_EXTENSION_STEP_MS) return
  await changeGrant(record, ({ lifetime }) => (lifetime === 'month' ? { expiresAt } : {}))
  await wakeAt(expiresAt)
}

/**
 * Deletes the expired grants, and sets the alarm for the expiry of the others. The check and the deletion are
 * in one transaction: a grant that is saved in the meantime is not lost.
 *
 * @returns The deleted grants.
 */
export async function sweepGrants(): Promise<GrantRecord[]> {
  const session = await getSessionName()
  const [expired, active] = await store('readwrite', async (grants) => {
    const records: GrantRecord[] = await promisifyRequest(grants.getAll())
    const now = Date.now()
    const expired = records.filter((record) => !isActive(record, session, now))
    for (const record of expired) {
      markGrantEnded(record.grantId)
      grants.delete(getRecordKey(record))
    }
    await promisifyRequest(grants.transaction)
    return [expired, records.filter((record) => !expired.includes(record))] as const
  })
  grantsByOrigin.clear()
  bumpStateVersion()
  for (const { expiresAt } of active) await wakeAt(expiresAt)
  return expired
}
