/**
 * Schedules the one alarm that wakes the worker for due work: expiry of grants, retries, time limits. An
 * earlier time replaces a later one, and never the other way. The alarm fires once; its handler schedules
 * the next time.
 */

import browser from 'webextension-polyfill'
import { SOONEST_ALARM_MS, SOONEST_UNPACKED_ALARM_MS } from '../../limits.ts'
import { createSerialQueue } from './serial-queue.ts'

export const HOUSEKEEPING = 'housekeeping'

const queue = createSerialQueue()

/**
 * Schedules a wake-up. The read and the write of the alarm are one step in a queue: otherwise the later of
 * two concurrent times could win.
 *
 * @param timeMs Milliseconds since 1970.
 */
export function wakeAt(timeMs: number): Promise<void> {
  return queue(() => setAlarm(timeMs))
}

async function setAlarm(timeMs: number): Promise<void> {
  const now = Date.now()
  const scheduled = (await browser.alarms.get(HOUSEKEEPING))?.scheduledTime
  if (scheduled !== undefined && scheduled > now && scheduled <= timeMs) return
  // An overdue alarm is not lost: it fires as soon as the browser permits.
  const due = scheduled !== undefined && scheduled <= now ? scheduled : timeMs
  const soonestMs = __DEVELOPMENT__
    ? Math.min(SOONEST_ALARM_MS, SOONEST_UNPACKED_ALARM_MS)
    : SOONEST_ALARM_MS
  browser.alarms.create(HOUSEKEEPING, { when: Math.max(due, now + soonestMs) })
}
