/**
 * Keeps a cooldown after denials of the user, for each origin and operator: until it is over no window
 * opens, and the page gets `access_denied` at once. The first cooldown lasts a few seconds, so that a
 * window closed by mistake does no lasting harm. Each further denial doubles it, so that a page cannot
 * wear a user down. An approval clears the denials.
 *
 * Border: `flow-outcomes.ts` decides what is a denial; `methods/user-interaction.ts` asks for the
 * cooldown.
 */

import browser from 'webextension-polyfill'
import { FIRST_DENIAL_PAUSE_MS, LONGEST_DENIAL_PAUSE_MS } from '../../limits.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'

const STORAGE_KEY = 'refusals'

/** Number of denials in a row, and time of the last one in milliseconds since the epoch. */
interface Denials {
  times: number
  at: number
}

type DenialsByKey = Record<string, Denials>

const getDenialKey = (origin: string, issuer: string) => `${origin} ${issuer}`

const computeCooldown = (times: number) =>
  Math.min(LONGEST_DENIAL_PAUSE_MS, FIRST_DENIAL_PAUSE_MS * 2 ** (times - 1))

/** Tells whether the cooldown lasts at this time. A clock that was set back does not make it longer. */
export function isCoolingDown({ times, at }: Denials, now: number): boolean {
  return now < at + computeCooldown(times) && now >= at - LONGEST_DENIAL_PAUSE_MS
}

/** Tells whether denials still count: until ten minutes after the end of their cooldown. */
function isCounted({ times, at }: Denials, now: number): boolean {
  return Math.abs(now - at) < computeCooldown(times) + LONGEST_DENIAL_PAUSE_MS
}

async function readDenials(): Promise<DenialsByKey> {
  return (
    ((await browser.storage.session.get(STORAGE_KEY))[STORAGE_KEY] as DenialsByKey | undefined) ??
    {}
  )
}

const runInChangeQueue = createSerialQueue()

/**
 * Applies changes one after the other, so that two simultaneous denials count twice. Removes old
 * denials.
 */
function changeDenials(apply: (denials: DenialsByKey, now: number) => DenialsByKey): Promise<void> {
  return runInChangeQueue(async () => {
    const now = Date.now()
    const counted = Object.entries(await readDenials()).filter(([, denials]) =>
      isCounted(denials, now),
    )
    await browser.storage.session.set({ [STORAGE_KEY]: apply(Object.fromEntries(counted), now) })
  })
}

export async function isInCooldown(origin: string, issuer: string): Promise<boolean> {
  const denials = (await readDenials())[getDenialKey(origin, issuer)]
  return denials !== undefined && isCoolingDown(denials, Date.now())
}

export function recordDenial(origin: string, issuer: string): Promise<void> {
  const key = getDenialKey(origin, issuer)
  return changeDenials((denials, at) => ({
    ...denials,
    [key]: { times: (denials[key]?.times ?? 0) + 1, at },
  }))
}

export function clearDenials(origin: string, issuer: string): Promise<void> {
  const key = getDenialKey(origin, issuer)
  return changeDenials(({ [key]: _, ...rest }) => rest)
}
