/**
 * Objects, lists, bytes and primitives, a few levels deep: what a browser carries from a page to the
 * broker. Some other things it loses without a word, and the message with them.
 */
export function isPlain(value: unknown, depth = 4): boolean {
  if (Object(value) !== value) return true
  if (!depth || !/ (Object|Array(Buffer)?)]/.test({}.toString.call(value))) return false
  return Object.values(value as object).every((inner) => isPlain(inner, depth - 1))
}
