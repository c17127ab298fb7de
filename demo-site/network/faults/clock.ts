/**
 * A clock that goes wrong for one request: inside of `withClock` the time of day is shifted, outside it
 * is right. Libraries read the time from `Date.now`, so that is what is shifted, and only while needed.
 */

import { AsyncLocalStorage } from 'node:async_hooks'

const offset = new AsyncLocalStorage<number>()
const realNow = Date.now
let users = 0

export async function withClock<T>(shiftMs: number, run: () => Promise<T>): Promise<T> {
  users += 1
  Date.now = () => realNow() + (offset.getStore() ?? 0)
  try {
    return await offset.run(shiftMs, run)
  } finally {
    users -= 1
    if (users === 0) Date.now = realNow
  }
}
