/**
 * Creates serial queues: the tasks of a queue run one after the other, and a failed task does not block the
 * next one.
 *
 * A queue is in the memory of this worker and ends with it. That is enough: the broker has one worker, and
 * unfinished work is in its records when it wakes up. Web Locks would not survive the worker either, would
 * cost a message to the browser process for each task, and are missing in Node 20, where the tests run.
 */

import pLimit, { type LimitFunction } from 'p-limit'

/** Runs a task after all earlier tasks have ended. */
export type SerialQueue = <T>(task: () => Promise<T>) => Promise<T>

/** Creates one queue. */
export function createSerialQueue(): SerialQueue {
  const limit = pLimit(1)
  return (task) => limit(task)
}

/** Creates one queue for each key. Tasks of different keys do not wait for each other. */
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
