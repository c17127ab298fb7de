/**
 * Limits the depth of JSON from outside. A few kB of brackets are nested deeper than a recursive reader's stack,
 * and so are the readers of the platform: `JSON.stringify` and the structured clone. Every text from a server
 * or a file passes this check before any code walks through its value. Pure.
 * @see RFC 8259 section 9
 */

/** Levels of objects and arrays that a value may have. */
export const JSON_DEPTH_LIMIT = 32

/** Tells whether a value has more levels than this. It stops at the limit, so that its own recursion is limited. */
export function isDeeperThan(limit: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return limit === 0 || Object.values(value).some((member) => isDeeperThan(limit - 1, member))
}
