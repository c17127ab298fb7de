/**
 * Sends together what is said within one turn. A page that asks a thousand things at once costs one
 * message on each stretch of the way, and one on the way back; who asks one thing waits for nobody.
 */

// A page may replace it later.
const { queueMicrotask } = globalThis

export function together<T>(send: (list: T[]) => void): (one: T) => void {
  let said: T[] = []
  return (one) => {
    if (said.push(one) > 1) return
    queueMicrotask(() => {
      const list = said
      said = []
      send(list)
    })
  }
}
