/**
 * Remembers where the user has ended a grant: there the operator's waiver of the consent window does not hold
 * any more, and the next grant asks. Without this, a page would get a grant back by the next click after
 * "Disconnect". An approval in the consent window restores the waiver.
 *
 * Border: `authorization/consent-waiver.ts` decides what a waiver covers.
 */

import { del, delMany, get, keys, set } from 'idb-keyval'
import { openStore } from '../platform/stores.ts'

const store = openStore('waivers')

/** Neither an issuer nor an origin contains a space. */
const getWaiverKey = (issuer: string, origin: string) => `${issuer} ${origin}`

export function withdrawWaiver({ issuer, origin }: { issuer: string; origin: string }) {
  return set(getWaiverKey(issuer, origin), true, store)
}

export async function isWaiverWithdrawn(issuer: string, origin: string): Promise<boolean> {
  return (await get<boolean>(getWaiverKey(issuer, origin), store)) === true
}

export function restoreWaiver(issuer: string, origin: string): Promise<void> {
  return del(getWaiverKey(issuer, origin), store)
}

/** Deletes what is remembered of an operator that the user removes. */
export async function deleteWithdrawnWaivers(issuer: string): Promise<void> {
  const known = await keys<string>(store)
  await delMany(
    known.filter((key) => key.startsWith(`${issuer} `)),
    store,
  )
}
