/**
 * Quotas of the log: decides which entries are deleted when there are too many. Pure.
 *
 * The events are in three classes, each with its own quotas: an entry never pushes out an entry of another
 * class. Within a class each origin has a quota of its own. If all origins together have too many, the
 * origin with most entries loses its oldest: so a site that calls without pause pushes out its own
 * entries, and the grants and revocations of the user's other sites stay. An entry of an operator alone counts for
 * its issuer in place of an origin, so that a server cannot push out what the user did with other operators.
 */

import type { LogEvent } from '../../../shared/messages/screen-channel.ts'

/** `decision`: an act of the user, or the end of a grant. `use`: a use of a grant. `refusal`: a failed call. */
export type LogClass = 'decision' | 'use' | 'refusal'

const CLASS: Record<LogEvent, LogClass> = {
  grant: 'decision',
  revocation: 'decision',
  site: 'decision',
  operator: 'decision',
  token: 'use',
  call: 'use',
  proof: 'use',
  refusal: 'refusal',
}

interface Quota {
  /** Number of entries that are kept for an origin. */
  perOrigin: number
  /** Number of entries that are kept for all origins together. */
  total: number
}

export const LOG_QUOTAS: Record<LogClass, Quota> = {
  decision: { perOrigin: 200, total: 1_000 },
  use: { perOrigin: 400, total: 1_600 },
  refusal: { perOrigin: 40, total: 400 },
}

/** Number of entries that are kept in all. */
export const MAX_ENTRIES = Object.values(LOG_QUOTAS).reduce((sum, { total }) => sum + total, 0)

export const getLogClass = (event: LogEvent): LogClass => CLASS[event]

/**
 * Key of an entry in the database: its time in milliseconds (unique), its class, and its origin; the issuer for an
 * entry without origin. The keys alone say what has to be deleted, and they sort by time.
 */
export type LogKey = [time: number, logClass: LogClass, origin: string]

/**
 * Number of entries that each origin keeps, so that no origin keeps more than its quota and all together
 * no more than `total`. An origin with few entries keeps all of them.
 */
function findShare(sizes: readonly number[], { perOrigin, total }: Quota): number {
  let share = perOrigin
  const count = () => sizes.reduce((sum, size) => sum + Math.min(size, share), 0)
  while (share > 1 && count() > total) share -= 1
  return share
}

function selectExcessOfClass(keys: readonly LogKey[], quota: Quota): LogKey[] {
  const byOrigin = new Map<string, LogKey[]>()
  for (const key of keys) {
    const [, , origin] = key
    const ofOrigin = byOrigin.get(origin)
    if (ofOrigin) ofOrigin.push(key)
    else byOrigin.set(origin, [key])
  }
  const groups = [...byOrigin.values()]
  const share = findShare(
    groups.map(({ length }) => length),
    quota,
  )
  const excess = groups.flatMap((group) => group.slice(0, Math.max(0, group.length - share)))
  // More origins than entries: each has one at most, and the oldest go.
  const kept = keys.length - excess.length
  if (kept <= quota.total) return excess
  const last = groups.flatMap((group) => group.slice(-share)).sort(compareTimes)
  return [...excess, ...last.slice(0, kept - quota.total)]
}

const compareTimes = ([first]: LogKey, [second]: LogKey) => first - second

/** Returns the keys of the entries to delete. @param keys Oldest first. */
export function selectExcess(keys: readonly LogKey[]): LogKey[] {
  return Object.entries(LOG_QUOTAS).flatMap(([name, quota]) =>
    selectExcessOfClass(
      keys.filter(([, logClass]) => logClass === name),
      quota,
    ),
  )
}
