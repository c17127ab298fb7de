/**
 * Remembers the grants that ended during the life of this worker, and notifies what uses them. The end of a
 * grant is known here before the first write of its deletion.
 *
 * A grant that another grant replaces (its successor) has ended too, but what it allowed is still allowed.
 */

/** Successors by the grant that they replaced; `undefined` for a grant that nothing replaced. */
const successors = new Map<string, string | undefined>()

type Listener = (grantId: string) => void
const listeners = new Set<Listener>()

/** @param successorId The grant that replaces it and covers all of its APIs. */
export function markGrantEnded(grantId: string, successorId?: string): void {
  if (hasGrantEnded(grantId)) return
  successors.set(grantId, successorId)
  if (successorId === undefined) for (const listener of listeners) listener(grantId)
}

export const hasGrantEnded = (grantId: string): boolean => successors.has(grantId)

/** The grant that has replaced a grant, or the grant itself. */
export function findCurrentGrantId(grantId: string): string {
  const successorId = successors.get(grantId)
  return successorId === undefined ? grantId : findCurrentGrantId(successorId)
}

/** @param listener Called in the task in which a grant ends that nothing replaces. */
export function onGrantEnd(listener: Listener): void {
  listeners.add(listener)
}
