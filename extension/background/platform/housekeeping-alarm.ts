/**
 * One alarm wakes the worker for what is due; an earlier time moves it forward, none moves it back. It
 * rings once: whoever is woken by it asks again for whatever is due later.
 */

import browser from 'webextension-polyfill'

export const HOUSEKEEPING = 'housekeeping'

/** Browsers wake nobody sooner. */
const SOONEST_MS = 30_000

let last: Promise<unknown> = Promise.resolve()

/** Looking and setting are one step, or of two that ask at once the later might win. */
export function wakeAt(timeMs: number): Promise<void> {
  const next = last.then(
    () => setAlarm(timeMs),
    () => setAlarm(timeMs),
  )
  last = next
  return next
}

async function setAlarm(timeMs: number): Promise<void> {
  const now = Date.now()
  const set = (await browser.alarms.get(HOUSEKEEPING))?.scheduledTime
  if (set !== undefined && set > now && set <= timeMs) return
  // One that should have rung by now has not been lost: it rings as soon as it may.
  const due = set !== undefined && set <= now ? set : timeMs
  browser.alarms.create(HOUSEKEEPING, { when: Math.max(due, now + SOONEST_MS) })
}
