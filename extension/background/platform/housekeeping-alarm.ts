/**
 * One alarm wakes the worker for what is due; an earlier time moves it forward, none moves it back. It
 * rings once: whoever is woken by it asks again for whatever is due later.
 */

import browser from 'webextension-polyfill'
import { SOONEST_ALARM_MS } from '../../limits.ts'
import { createSerialQueue } from './serial-queue.ts'

export const HOUSEKEEPING = 'housekeeping'

const changes = createSerialQueue()

/** Looking and setting are one step, or of two that ask at once the later might win. */
export function wakeAt(timeMs: number): Promise<void> {
  return changes(() => setAlarm(timeMs))
}

async function setAlarm(timeMs: number): Promise<void> {
  const now = Date.now()
  const set = (await browser.alarms.get(HOUSEKEEPING))?.scheduledTime
  if (set !== undefined && set > now && set <= timeMs) return
  // One that should have rung by now has not been lost: it rings as soon as it may.
  const due = set !== undefined && set <= now ? set : timeMs
  browser.alarms.create(HOUSEKEEPING, { when: Math.max(due, now + SOONEST_ALARM_MS) })
}
