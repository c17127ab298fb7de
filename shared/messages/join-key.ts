/**
 * Which calls ask the same. Many parts of a page ask for the same token at once; one of them goes to
 * the broker and all get its answer. Only calls that change nothing and show nothing are joined.
 */

/** What else is called like this is no method, and all who call it hear the same. */
const JOINED = /^\w+_get(Info|Grants|AccessToken)$/

/** Parameters that are names with strings and numbers, and nothing else. */
export type FlatParams = Record<string, string | number>

/**
 * Equal for equal calls, in whatever order the members stand; `undefined` for a call that is not to be
 * joined: one that may open a window, or whose parameters are not flat.
 *
 * @param copy Gets the parameters as they were read here: a page's own could read otherwise next time.
 */
export function joinKey(
  method: string,
  params: unknown = {},
  copy: FlatParams = {},
): string | undefined {
  if (!JOINED.test(method)) return undefined
  let key = method
  if (!/ Object]/.test({}.toString.call(params))) return undefined
  for (const name of Object.keys(params as object).sort()) {
    const value = (params as Record<string, unknown>)[name]
    if (value === undefined) continue
    if (typeof value !== 'string' && typeof value !== 'number') return undefined
    if (name === 'interactive' && value !== 'never') return undefined
    copy[name] = value
    key += `\n${name}\n${typeof value}\n${value}`
  }
  return key
}
