/** One alarm wakes the worker for what is due; an earlier time moves it forward, none moves it back. */

import browser from 'webextension-polyfill'

export const HOUSEKEEPING = 'housekeeping'

/** Browsers wake nobody sooner. */
const SOONEST_MS = 30_000

export async function wakeAt(timeMs: number): Promise<void> {
  const when = Math.max(timeMs, Date.now() + SOONEST_MS)
  const alarm = await browser.alarms.get(HOUSEKEEPING)
  if (alarm && alarm.scheduledTime > Date.now() && alarm.scheduledTime <= when) return
  browser.alarms.create(HOUSEKEEPING, { when })
}
