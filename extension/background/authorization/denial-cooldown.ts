/**
 * A user who has said no is left alone for a while: the page gets the same refusal without another
 * window. For a few seconds after the first, so that one closed window is no lasting matter; for twice as
 * long after each further one, so that a page cannot wear a user down. A "yes" forgets it all.
 */

import browser from 'webextension-polyfill'
import { FIRST_DENIAL_PAUSE_MS, LONGEST_DENIAL_PAUSE_MS } from '../../limits.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'

const STORAGE_KEY = 'refusals'

/** How often in a row, and when last. */
interface Denials {
  times: number
  at: number
}

type DenialsByKey = Record<string, Denials>

const keyOf = (origin: string, issuer: string) => `${origin} ${issuer}`

const cooldownAfter = (times: number) =>
  Math.min(LONGEST_DENIAL_PAUSE_MS, FIRST_DENIAL_PAUSE_MS * 2 ** (times - 1))

/** Whether no window may open yet. A clock that was set back does not make the pause longer. */
export function isCoolingDown({ times, at }: Denials, now: number): boolean {
  return now < at + cooldownAfter(times) && now >= at - LONGEST_DENIAL_PAUSE_MS
}

/** A denial counts until ten minutes have passed in which a window could have opened. */
function isCounted({ times, at }: Denials, now: number): boolean {
  return Math.abs(now - at) < cooldownAfter(times) + LONGEST_DENIAL_PAUSE_MS
}

async function readDenials(): Promise<DenialsByKey> {
  return (
    ((await browser.storage.session.get(STORAGE_KEY))[STORAGE_KEY] as DenialsByKey | undefined) ??
    {}
  )
}

const runInChangeQueue = createSerialQueue()

/** One change after the other: two denials at once are two. What counts no more goes. */
function changeDenials(apply: (denials: DenialsByKey, now: number) => DenialsByKey): Promise<void> {
  return runInChangeQueue(async () => {
    const now = Date.now()
    const known = Object.entries(await readDenials()).filter(([, denied]) => isCounted(denied, now))
    await browser.storage.session.set({ [STORAGE_KEY]: apply(Object.fromEntries(known), now) })
  })
}

export async function isInCooldown(origin: string, issuer: string): Promise<boolean> {
  const denied = (await readDenials())[keyOf(origin, issuer)]
  return denied !== undefined && isCoolingDown(denied, Date.now())
}

export function recordDenial(origin: string, issuer: string): Promise<void> {
  const key = keyOf(origin, issuer)
  return changeDenials((denials, at) => ({
    ...denials,
    [key]: { times: (denials[key]?.times ?? 0) + 1, at },
  }))
}

export function clearDenials(origin: string, issuer: string): Promise<void> {
  const key = keyOf(origin, issuer)
  return changeDenials(({ [key]: _, ...rest }) => rest)
}
