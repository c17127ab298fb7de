/**
 * The version of what this worker remembers of grants, tokens, operators and sites. What was worked out
 * under an earlier version does not hold any more.
 */

let version = 0

export const getStateVersion = (): number => version

/** Called where the state changes: before a write begins, and again when it has ended. */
export function bumpStateVersion(): void {
  version += 1
}
