/**
 * Sends together what is said within one turn. A page that asks a thousand things at once costs one
 * message on each stretch of the way, and one on the way back; who asks one thing waits for nobody.
 */

// A page may replace it later.
const { queueMicrotask } = globalThis

export function together<T extends object>(send: (list: T[]) => void): (one: T) => void {
  // Not a list: a page may give every object setters, for the places of a list as well.
  const said = new Set<T>()
  return (one) => {
    if (said.add(one).size > 1) return
    queueMicrotask(() => {
      const list = [...said]
      said.clear()
      try {
        send(list)
      } catch {
        // Too large as a whole: one by one, as each of them was copied.
        for (const each of list) send([each])
      }
    })
  }
}
