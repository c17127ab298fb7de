/**
 * Shifts the clock for one request: inside `runWithClockShift` the time of day is shifted, outside it is correct.
 * Libraries read the time from `Date.now`, so this function is replaced, and only while a shift is active.
 */

import { AsyncLocalStorage } from 'node:async_hooks'

const offset = new AsyncLocalStorage<number>()
const realNow = Date.now
let activeShifts = 0

export async function runWithClockShift<T>(shiftMs: number, run: () => Promise<T>): Promise<T> {
  activeShifts += 1
  Date.now = () => realNow() + (offset.getStore() ?? 0)
  try {
    return await offset.run(shiftMs, run)
  } finally {
    activeShifts -= 1
    if (activeShifts === 0) Date.now = realNow
  }
}
