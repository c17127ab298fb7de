/**
 * Limits how much of a resource is in use at once, for each key and for all keys together (a counting
 * semaphore). What finds no room waits in the queue of its key. How much may wait is limited too. The keys
 * take turns, and each key is served in the order of its requests.
 */

import { rateLimited } from './broker-error.ts'

export interface SemaphoreLimits {
  /** Permits in use at once. */
  perKey: number
  total: number
  /** Requests in the queues. */
  waitingPerKey: number
  waitingTotal: number
}

/** Gives the permits back. A second call has no effect. */
export type Release = () => void

export interface Semaphore {
  /** Takes permits at once. `undefined`: they are not free, or others wait for them. */
  tryAcquire(key: string, permits?: number): Release | undefined
  /**
   * Takes one permit, and waits for it in the queue of the key.
   *
   * @param signal Ends the wait, with its reason as the error.
   * @throws BrokerError `rate_limited` where the queue is full.
   */
  acquire(key: string, signal: AbortSignal): Promise<Release>
}

type Waiter = (release: Release) => void

export function createSemaphore(limits: SemaphoreLimits): Semaphore {
  const { perKey, total, waitingPerKey, waitingTotal } = limits
  const usedByKey = new Map<string, number>()
  let used = 0
  const queues = new Map<string, Set<Waiter>>()
  let waiting = 0

  const getUsed = (key: string) => usedByKey.get(key) ?? 0
  const hasRoom = (key: string, permits: number) =>
    used + permits <= total && getUsed(key) + permits <= perKey

  function add(key: string, permits: number): void {
    used += permits
    const usedOfKey = getUsed(key) + permits
    if (usedOfKey === 0) usedByKey.delete(key)
    else usedByKey.set(key, usedOfKey)
  }

  function take(key: string, permits: number): Release {
    add(key, permits)
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      add(key, -permits)
      startWaiters()
    }
  }

  function removeWaiter(key: string, waiter: Waiter): void {
    const queue = queues.get(key)
    if (!queue?.delete(waiter)) return
    waiting -= 1
    if (queue.size === 0) queues.delete(key)
  }

  /** Starts one waiter of a key, and puts the key behind the others. */
  function startWaiterOf(key: string, queue: Set<Waiter>): void {
    const [waiter] = queue
    if (!waiter) return
    queues.delete(key)
    queues.set(key, queue)
    removeWaiter(key, waiter)
    waiter(take(key, 1))
  }

  function startWaiters(): void {
    for (;;) {
      const next = [...queues].find(([key]) => hasRoom(key, 1))
      if (!next) return
      startWaiterOf(...next)
    }
  }

  function tryAcquire(key: string, permits = 1): Release | undefined {
    if (queues.has(key) || !hasRoom(key, permits)) return undefined
    return take(key, permits)
  }

  function wait(key: string, signal: AbortSignal): Promise<Release> {
    const queue = queues.get(key) ?? new Set<Waiter>()
    if (waiting >= waitingTotal || queue.size >= waitingPerKey) {
      throw rateLimited('too many calls wait; ask again later', 1)
    }
    queues.set(key, queue)
    waiting += 1
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        removeWaiter(key, waiter)
        reject(signal.reason)
      }
      const waiter: Waiter = (release) => {
        signal.removeEventListener('abort', giveUp)
        resolve(release)
      }
      queue.add(waiter)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  return {
    tryAcquire,
    async acquire(key, signal) {
      signal.throwIfAborted()
      return tryAcquire(key) ?? wait(key, signal)
    },
  }
}
