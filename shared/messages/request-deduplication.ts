/**
 * Which calls ask the same. Many parts of a page ask for the same token at once; one of them goes to
 * the broker and all get its answer. Only calls that change nothing and show nothing are joined.
 *
 * The key of a call says all of it, and is what goes to the broker: a text takes the way through the
 * content script more easily than an object of the page's.
 */

/** What else is called like this is no method, and all who call it hear the same. */
const JOINED = /^\w+_get(Info|Grants|AccessToken)$/

/**
 * The method, and after it the parameters as JSON, in one order. Parameters that are joined are names
 * with strings and numbers, and nothing else.
 *
 * @param stringify `JSON.stringify`, in a page as it was before a script of the page's could replace it.
 * @returns `undefined` for a call that is not to be joined: one that may open a window, or whose
 *   parameters are not flat.
 */
export function deduplicationKey(
  method: string,
  params: unknown,
  stringify: (value: object) => string,
): string | undefined {
  if (!JOINED.test(method)) return undefined
  if ((params as object | null)?.constructor !== Object) return undefined
  // Without a prototype: a page may give every object setters, and a `toJSON`.
  const flat = { __proto__: null } as unknown as Record<string, unknown>
  for (const name of Object.keys(params as object).sort()) {
    const value = (params as Record<string, unknown>)[name]
    if (value === undefined) continue
    if (typeof value !== 'string' && typeof value !== 'number') return undefined
    if (name === 'interactive' && value !== 'never') return undefined
    flat[name] = value
  }
  return method + stringify(flat)
}

/** Three times what the longest good parameters take. */
const MAX_JSON_LENGTH = 100_000

/**
 * A call as it was asked. One that was joined comes as its key, and without parameters. What is longer than
 * any good parameters stays a text, which is none: to read it would keep everybody else waiting.
 */
export function decodeRequest<Call extends { method: string; params: unknown }>(call: Call): Call {
  if (call.params !== undefined) return call
  const [, method, json] = /^(\w+)(\{.*\})$/s.exec(call.method) ?? []
  if (method === undefined || json === undefined) return call
  try {
    return { ...call, method, params: json.length > MAX_JSON_LENGTH ? json : JSON.parse(json) }
  } catch {
    // Not a provider's: no method is called like this.
    return call
  }
}
