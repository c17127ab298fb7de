/**
 * Serial queues: tasks run one after the other, and a task that fails does not block the next one.
 *
 * A queue lives in the memory of this worker and ends with it. That is enough: the broker has one worker,
 * and what it finds undone when it wakes up is in its records. Web Locks would outlive nothing more, cost
 * a message to the browser's process for each task, and are missing in Node 20, where the tests run.
 */

import pLimit, { type LimitFunction } from 'p-limit'

/** Runs a task when those before it have ended. */
export type SerialQueue = <T>(task: () => Promise<T>) => Promise<T>

export function createSerialQueue(): SerialQueue {
  const limit = pLimit(1)
  return (task) => limit(task)
}

/** One queue for each key. Tasks of different keys do not wait for each other. */
export function createKeyedSerialQueue(): <T>(key: string, task: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, LimitFunction>()
  return async (key, task) => {
    const queue = queues.get(key) ?? pLimit(1)
    queues.set(key, queue)
    try {
      return await queue(task)
    } finally {
      if (queue.activeCount + queue.pendingCount === 0) queues.delete(key)
    }
  }
}
