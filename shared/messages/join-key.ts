/**
 * Which calls ask the same. Many parts of a page ask for the same token at once; one of them goes to
 * the broker and all get its answer. Only calls that change nothing and show nothing are joined.
 */

/** By the end of the name: what else ends like this is no method, and all who call it hear the same. */
const JOINED = /_get(Info|Grants|AccessToken)$/

/**
 * Equal for equal calls, in whatever order the members stand; `undefined` for a call that is not to be
 * joined: one that may open a window, or whose parameters are not plain.
 */
export function joinKey(method: string, params: unknown = {}): string | undefined {
  if (!JOINED.test(method)) return undefined
  let key = method
  if (!/ Object]/.test({}.toString.call(params))) return undefined
  for (const name of Object.keys(params as object).sort()) {
    const value = (params as Record<string, unknown>)[name]
    if (value === undefined) continue
    if (typeof value !== 'string' && typeof value !== 'number') return undefined
    if (name === 'interactive' && value !== 'never') return undefined
    key += `\n${name}\n${typeof value}\n${value}`
  }
  return key
}
