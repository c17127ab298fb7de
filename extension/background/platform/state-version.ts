/**
 * Counts the changes of the broker's state (grants, tokens, operators, sites) in this worker. A cached
 * result is valid only while the version is the same as before its computation.
 */

let version = 0

export const getStateVersion = (): number => version

/** Invalidates the cached results. Called before a write begins, and again when it has ended. */
export function bumpStateVersion(): void {
  version += 1
}
