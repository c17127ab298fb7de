/**
 * Creates turn queues for something that few tasks may use at a time. Each key has a queue of its own, and the
 * keys take turns (round robin): a key with many tasks does not delay a key with one. A task that has not
 * started within the time limit leaves the queue with an error. A task that has started is not stopped here.
 *
 * Border: `serial-queue.ts` has the queues without a time limit, for work on records.
 */

export interface TurnQueueOptions {
  /** `true`: one task at a time over all keys. `false`: one task at a time for each key. */
  exclusive: boolean
  /** Longest wait before the start of a task, in milliseconds. */
  maxWaitMs: number
  /** Creates the error of a task that waited too long. */
  createTimeoutError(): Error
}

export type TurnQueue = <T>(key: string, task: () => Promise<T>) => Promise<T>

export function createTurnQueue(options: TurnQueueOptions): TurnQueue {
  const { exclusive, maxWaitMs, createTimeoutError } = options
  /** Tasks that wait, by key. The key whose turn is next comes first. */
  const waiting = new Map<string, (() => void)[]>()
  const running = new Set<string>()

  function findNextKey(): string | undefined {
    if (exclusive && running.size > 0) return undefined
    return [...waiting.keys()].find((key) => !running.has(key))
  }

  function startNext(): void {
    for (let key = findNextKey(); key !== undefined; key = findNextKey()) {
      const [start, ...others] = waiting.get(key) ?? []
      // The key goes to the end: the next turn is that of another key.
      waiting.delete(key)
      if (others.length > 0) waiting.set(key, others)
      start?.()
    }
  }

  function leave(key: string, start: () => void): void {
    const others = (waiting.get(key) ?? []).filter((candidate) => candidate !== start)
    if (others.length > 0) waiting.set(key, others)
    else waiting.delete(key)
  }

  return (key, task) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        leave(key, start)
        reject(createTimeoutError())
      }, maxWaitMs)
      function start(): void {
        clearTimeout(timer)
        running.add(key)
        void (async () => task())()
          .then(resolve, reject)
          .finally(() => {
            running.delete(key)
            startNext()
          })
      }
      waiting.set(key, [...(waiting.get(key) ?? []), start])
      startNext()
    })
}
