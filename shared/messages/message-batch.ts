/**
 * Batches the messages of one task into a single `postMessage`: a page that makes a thousand calls at once
 * costs two messages, not a thousand. A message that has no company is sent at once.
 */

/**
 * @param send Sends one batch. It may throw; a batch of several messages is then sent message by message.
 * @param atEndOfTask `queueMicrotask`, in a page as it was before a script of the page could replace it.
 * @returns `queue`: adds a message to the batch, which is sent at the end of the task. A message that
 *   `isAlone` is sent at once, unless a batch is already waiting.
 */
export function createBatch<T extends object>(
  send: (batch: T[]) => void,
  atEndOfTask: (task: () => void) => void,
): (message: T, isAlone?: boolean) => void {
  // A set and not an array: a page may define setters on `Object.prototype`, for array indices as well.
  const queued = new Set<T>()
  function flush(): void {
    const batch = [...queued]
    queued.clear()
    try {
      send(batch)
    } catch {
      // The batch is too large. Each message is sent by itself; each of them could be cloned before.
      for (const message of batch) send([message])
    }
  }
  return function queue(message, isAlone) {
    if (isAlone && !queued.size) send([message])
    else if (queued.add(message).size === 1) atEndOfTask(flush)
  }
}
