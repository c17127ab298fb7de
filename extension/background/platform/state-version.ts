/**
 * Counts the changes of what this worker remembers of grants, tokens, operators and sites. What was
 * worked out before a change does not hold after it.
 */

let count = 0

export const changes = (): number => count

export function changed(): void {
  count += 1
}
