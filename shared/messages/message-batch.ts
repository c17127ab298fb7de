/**
 * Sends together what is said within one turn, but for one who is alone: that one waits for nobody. A page
 * that asks a thousand things at once costs two messages, not a thousand.
 */

/** @param atEnd `queueMicrotask`, in a page as it was before a script of the page's could replace it. */
export function together<T extends object>(
  send: (list: T[]) => void,
  atEnd: (task: () => void) => void,
): (one: T, isAlone?: boolean) => void {
  // Not a list: a page may give every object setters, for the places of a list as well.
  const said = new Set<T>()
  function sendAll(): void {
    const list = [...said]
    said.clear()
    try {
      send(list)
    } catch {
      // Too large as a whole: one by one, as each of them was copied.
      for (const each of list) send([each])
    }
  }
  return (one, isAlone) => {
    if (isAlone && !said.size) send([one])
    else if (said.add(one).size === 1) atEnd(sendAll)
  }
}
