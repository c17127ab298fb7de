/**
 * A user who has said no is left alone for a while: the page gets the same refusal without another
 * window. For a few seconds after the first, so that one closed window is no lasting matter; for twice as
 * long after each further one, so that a page cannot wear a user down. A "yes" forgets it all.
 */

import browser from 'webextension-polyfill'
import { FIRST_DENIAL_PAUSE_MS, LONGEST_DENIAL_PAUSE_MS } from '../../limits.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'

const NAME = 'refusals'

/** How often in a row, and when last. */
interface Refused {
  times: number
  at: number
}

type Refusals = Record<string, Refused>

const keyOf = (origin: string, issuer: string) => `${origin} ${issuer}`

const pauseAfter = (times: number) =>
  Math.min(LONGEST_DENIAL_PAUSE_MS, FIRST_DENIAL_PAUSE_MS * 2 ** (times - 1))

/** Whether no window may open yet. A clock that was set back does not make the pause longer. */
export function isLeftAlone({ times, at }: Refused, now: number): boolean {
  return now < at + pauseAfter(times) && now >= at - LONGEST_DENIAL_PAUSE_MS
}

/** A refusal counts until ten minutes have passed in which a window could have opened. */
function counts({ times, at }: Refused, now: number): boolean {
  return Math.abs(now - at) < pauseAfter(times) + LONGEST_DENIAL_PAUSE_MS
}

async function read(): Promise<Refusals> {
  return ((await browser.storage.session.get(NAME))[NAME] as Refusals | undefined) ?? {}
}

const changes = createSerialQueue()

/** One change after the other: two refusals at once are two. What counts no more goes. */
function change(apply: (refusals: Refusals, now: number) => Refusals): Promise<void> {
  return changes(async () => {
    const now = Date.now()
    const known = Object.entries(await read()).filter(([, refused]) => counts(refused, now))
    await browser.storage.session.set({ [NAME]: apply(Object.fromEntries(known), now) })
  })
}

export async function hasRefused(origin: string, issuer: string): Promise<boolean> {
  const refused = (await read())[keyOf(origin, issuer)]
  return refused !== undefined && isLeftAlone(refused, Date.now())
}

export function rememberRefusal(origin: string, issuer: string): Promise<void> {
  const key = keyOf(origin, issuer)
  return change((refusals, at) => ({
    ...refusals,
    [key]: { times: (refusals[key]?.times ?? 0) + 1, at },
  }))
}

export function forgetRefusals(origin: string, issuer: string): Promise<void> {
  const key = keyOf(origin, issuer)
  return change(({ [key]: _, ...rest }) => rest)
}
