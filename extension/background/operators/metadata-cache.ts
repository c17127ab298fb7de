/**
 * Keeps the metadata of authorization servers for the browser session, so that a sign-in need not wait for them:
 *
 * - Metadata that the server calls fresh serve each flow for that time, an hour at most.
 * - Metadata that were requested ahead of a flow serve that one flow, a few minutes at most.
 *
 * An entry holds for the profile with which it was checked, and a flow that fails removes it: a server that has moved
 * costs one failed flow at most.
 *
 * Border: `operator-discovery.ts` requests metadata and checks their servers.
 *
 * @see RFC 9111 section 4.2, decision 0037
 */

import browser from 'webextension-polyfill'
import type { ServerMetadata } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { LONGEST_METADATA_LIFETIME_MS, METADATA_AHEAD_LIFETIME_MS } from '../../limits.ts'
import { memoize } from '../platform/memoize.ts'

const STORAGE_KEY = 'metadata'

export interface KeptMetadata {
  /** The profile, as JSON. */
  profile: string
  metadata: ServerMetadata
  keptAtMs: number
  usableUntilMs: number
  /** Whether they serve one flow alone. */
  isForOneFlow: boolean
}

/** Creates an entry. @returns `undefined` if the metadata may not be kept. Pure. */
export function createEntry(
  server: OperatorProfile,
  metadata: ServerMetadata,
  freshnessMs: number,
  isAhead: boolean,
  now: number,
): KeptMetadata | undefined {
  const lifetimeMs = Math.min(freshnessMs, LONGEST_METADATA_LIFETIME_MS)
  const isForOneFlow = isAhead && lifetimeMs < METADATA_AHEAD_LIFETIME_MS
  const usableMs = isForOneFlow ? METADATA_AHEAD_LIFETIME_MS : lifetimeMs
  if (usableMs === 0) return undefined
  const profile = JSON.stringify(server)
  return { profile, metadata, keptAtMs: now, usableUntilMs: now + usableMs, isForOneFlow }
}

/** Tells whether an entry may serve a flow. A clock that was set back cannot tell the age of an entry. Pure. */
export function isUsable(entry: KeptMetadata, server: OperatorProfile, now: number): boolean {
  return (
    now >= entry.keptAtMs && now < entry.usableUntilMs && entry.profile === JSON.stringify(server)
  )
}

/** The entries by issuer. `storage.session` has them for the next worker. */
const readEntries = memoize(async () => {
  const items = await browser.storage.session.get(STORAGE_KEY)
  const entries = (items[STORAGE_KEY] as Record<string, KeptMetadata> | undefined) ?? {}
  return new Map(Object.entries(entries))
})

/** Without room for the entries the next worker asks the servers again. */
function writeEntries(entries: ReadonlyMap<string, KeptMetadata>): void {
  browser.storage.session.set({ [STORAGE_KEY]: Object.fromEntries(entries) }).catch(() => {})
}

/** Keeps metadata that have just arrived, as far as they may be kept. */
export async function keepMetadata(
  server: OperatorProfile,
  metadata: ServerMetadata,
  freshnessMs: number,
  isAhead: boolean,
): Promise<void> {
  const entry = createEntry(server, metadata, freshnessMs, isAhead, Date.now())
  if (!entry) return
  const entries = await readEntries()
  writeEntries(entries.set(server.issuer, entry))
}

/** Takes the metadata for a flow. @returns `undefined` if the server has to be asked. */
export async function takeMetadata(server: OperatorProfile): Promise<ServerMetadata | undefined> {
  const entry = (await readEntries()).get(server.issuer)
  if (!entry) return undefined
  const isEntryUsable = isUsable(entry, server, Date.now())
  if (!isEntryUsable || entry.isForOneFlow) await forgetMetadata(server.issuer)
  return isEntryUsable ? entry.metadata : undefined
}

/** Removes the metadata of a server with which a flow failed. */
export async function forgetMetadata(issuer: string): Promise<void> {
  const entries = await readEntries()
  if (entries.delete(issuer)) writeEntries(entries)
}

/** Reads the metadata that the next flow will take. @returns `undefined` if the server has to be asked. */
export async function readMetadata(server: OperatorProfile): Promise<ServerMetadata | undefined> {
  const entry = (await readEntries()).get(server.issuer)
  return entry && isUsable(entry, server, Date.now()) ? entry.metadata : undefined
}
