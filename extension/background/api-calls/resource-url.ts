/**
 * Canonicalizes a URL and matches it against a granted resource by whole path segments. A URL that a
 * server might interpret in another way than this file is an error.
 */

import { invalidParams } from '../platform/broker-error.ts'

/**
 * Percent-encoded control characters, `%`, `.`, `/`, `;`, `\` and delete: a server may decode them
 * after the path was matched.
 */
const AMBIGUOUS = /%(?:[01][0-9a-f]|25|2e|2f|3b|5c|7f)/i
/**
 * Dot segments with path parameters (`..;x`): some servers remove the parameters and then go up a
 * segment.
 */
const DOTS_WITH_PARAMETERS = /\/\.{1,2};/

/**
 * @throws BrokerError `invalid_params` for a URL with user information, a fragment or an ambiguous
 * path.
 */
export function canonicalUrl(url: string): URL {
  const parsed = new URL(url)
  if (parsed.username || parsed.password) throw invalidParams('url: expected no user information')
  if (parsed.hash) throw invalidParams('url: expected no fragment')
  const { pathname } = parsed
  if (AMBIGUOUS.test(pathname) || DOTS_WITH_PARAMETERS.test(pathname) || pathname.includes('//')) {
    throw invalidParams('url: expected a path without encoded separators and empty segments')
  }
  return parsed
}

/**
 * @param resource The base URL of an API. A URL is under it with the same origin and the same first
 * segments.
 */
export function isUnder(url: URL, resource: string): boolean {
  const base = new URL(resource)
  if (url.origin !== base.origin || url.origin === 'null') return false
  const path = base.pathname.replace(/\/$/, '')
  return url.pathname === path || url.pathname.startsWith(`${path}/`)
}
