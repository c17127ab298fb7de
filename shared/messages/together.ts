/**
 * Sends together what is said within one turn. A page that asks a thousand things at once costs one
 * message on each stretch of the way, and one on the way back; who asks one thing waits for nobody.
 */

// A page may replace it later.
const { queueMicrotask } = globalThis

/**
 * @param send Sends a list, or throws.
 * @param fail Takes what cannot be sent even alone. Without it that is dropped.
 */
export function together<T>(send: (list: T[]) => void, fail?: (one: T) => void): (one: T) => void {
  let said: T[] = []

  function flush(list: T[]): void {
    try {
      send(list)
    } catch {
      // One that cannot be sent does not take the others along.
      if (list[1]) for (const one of list) flush([one])
      else fail?.(list[0] as T)
    }
  }

  return (one) => {
    if (said.push(one) > 1) return
    queueMicrotask(() => {
      const list = said
      said = []
      flush(list)
    })
  }
}
