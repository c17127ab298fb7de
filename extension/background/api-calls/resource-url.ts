/**
 * Parses the URL of a call and matches it against a granted resource by whole path segments. A URL that a
 * server might interpret in another way than this file is an error.
 *
 * Border: `shared/oauth/path-check.ts` has the rules for the path.
 */

import { EXPECTED_PATH, foldPath, hasUnambiguousPath } from '../../../shared/oauth/path-check.ts'
import { invalidParams } from '../platform/broker-error.ts'

/**
 * @param name Name of the page's parameter that contains the URL, for the error message.
 * @throws BrokerError `invalid_params` for a URL with user information, a fragment or an ambiguous
 * path.
 */
export function parseCallUrl(url: string, name: string): URL {
  const parsed = new URL(url)
  if (parsed.username || parsed.password)
    throw invalidParams(`${name}: expected no user information`)
  if (parsed.hash) throw invalidParams(`${name}: expected no fragment`)
  if (!hasUnambiguousPath(parsed)) throw invalidParams(`${name}: expected ${EXPECTED_PATH}`)
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

/** Tells whether a server that reads paths less exactly could find the URL under the resource. */
export function mayBeUnder(url: URL, resource: string): boolean {
  const base = new URL(resource)
  if (url.origin !== base.origin || url.origin === 'null') return false
  return foldPath(url).startsWith(foldPath(base))
}
