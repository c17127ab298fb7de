/**
 * Checks that a value is plain data: objects, arrays, `ArrayBuffer`s and primitives, a few levels deep. A
 * browser carries these from a page to the broker. Of other values it drops some without an error, and the
 * whole message with them.
 */
export function isPlain(value: unknown, depth = 4): boolean {
  if (Object(value) !== value) return true
  if (!depth || !/ (Object|Array(Buffer)?)]/.test({}.toString.call(value))) return false
  return Object.values(value as object).every((member) => isPlain(member, depth - 1))
}
