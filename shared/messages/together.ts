/**
 * Sends together what is said within one turn. A page that asks a thousand things at once costs one
 * message on each stretch of the way, and one on the way back; who asks one thing waits for nobody.
 */

export function together<T extends object>(send: (list: T[]) => void): (one: T) => void {
  // Not a list: a page may give every object setters, for the places of a list as well.
  const said = new Set<T>()
  async function sendAll(): Promise<void> {
    // The end of the turn. It costs less than `queueMicrotask`, and a page cannot replace it.
    await undefined
    const list = [...said]
    said.clear()
    try {
      send(list)
    } catch {
      // Too large as a whole: one by one, as each of them was copied.
      for (const each of list) send([each])
    }
  }
  return (one) => {
    if (said.add(one).size === 1) void sendAll()
  }
}
