/**
 * Deduplicates equal requests. Many parts of a page ask for the same token at once: one request goes to
 * the broker, and all callers get its answer. Only methods that change nothing and open no window are
 * deduplicated.
 *
 * The deduplication key is the method and its parameters as one string. It goes to the broker in place of
 * the parameters, since a string passes through the content script faster than an object of the page.
 */

/**
 * Methods whose requests are deduplicated. A string of this form that is no method of the broker may match
 * too: it gets the same error for every caller.
 */
const DEDUPLICATED = /^\w+_get(Info|Grants|AccessToken)$/

/**
 * Makes the deduplication key: the method, then the parameters as JSON with their names sorted. The
 * parameters of these methods are strings and numbers under names, never objects.
 *
 * @param stringify `JSON.stringify`, in a page as it was before a script of the page could replace it.
 * @returns `undefined` for a request that must not be deduplicated: another method, a request that may
 *   open a window, or parameters that are not flat.
 */
export function deduplicationKey(
  method: string,
  params: unknown,
  stringify: (value: object) => string,
): string | undefined {
  if (!DEDUPLICATED.test(method)) return undefined
  if ((params as object | null)?.constructor !== Object) return undefined
  // Without a prototype: a page may define setters and a `toJSON` on `Object.prototype`.
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

/** Three times the length of the longest valid parameters. */
const MAX_JSON_LENGTH = 100_000

/**
 * Decodes the parameters of a request that came with a deduplication key in their place.
 *
 * The key is the page's own text. A request keeps it only where it stands for the parameters: the answer is
 * cached under it. Beside other parameters it is removed. What is no key of this method, or is longer than
 * any valid parameters, becomes a string in `params`, which the check of the parameters rejects: parsing a
 * very long text would block the calls of all other pages.
 */
export function decodeRequest<
  Request extends { method: string; key?: string | undefined; params: unknown },
>(request: Request): Request {
  const { method, key, params } = request
  if (!key) return request
  if (params !== undefined) return { ...request, key: undefined }
  const json = key.slice(method.length)
  try {
    const isKey = key.startsWith(method) && json.startsWith('{') && json.length <= MAX_JSON_LENGTH
    if (isKey) return { ...request, params: JSON.parse(json) }
  } catch {
    // No JSON: no key.
  }
  return { ...request, key: undefined, params: key }
}
