/**
 * Checks that a value is plain data: objects, arrays, `ArrayBuffer`s and primitives, a few levels deep. A
 * browser carries these from a page to the broker. Of other values it drops some without an error, and the
 * whole message with them.
 */
export function isPlain(value: unknown, depth = 4): boolean {
  const isPrimitive = Object(value) !== value
  return (
    isPrimitive ||
    (depth > 0 &&
      / (Object|Array(Buffer)?)]/.test({}.toString.call(value)) &&
      Object.values(value as object).every((member) => isPlain(member, depth - 1)))
  )
}
