/**
 * A clock that goes wrong for one request: inside of `withClock` the time of day is shifted, outside it
 * is right. Libraries read the time from `Date.now`, so that is what is shifted, and only while needed.
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
