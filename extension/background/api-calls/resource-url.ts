/**
 * Which URLs lie under a granted resource. The URL is brought into its canonical form first and matched
 * then, on whole path segments; whatever a server might read differently is refused.
 */

import { invalidParams } from '../platform/broker-error.ts'

/** Encoded separators, dots, signs and control characters: a server may decode them after we matched. */
const AMBIGUOUS = /%(?:[01][0-9a-f]|25|2e|2f|3b|5c|7f)/i
/** Dots with path parameters, `..;x`: some servers take the parameters away and then go up. */
const DOTS_WITH_PARAMETERS = /\/\.{1,2};/

/** @throws BrokerError `invalid_params` */
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

export function isUnder(url: URL, resource: string): boolean {
  const base = new URL(resource)
  if (url.origin !== base.origin || url.origin === 'null') return false
  const path = base.pathname.replace(/\/$/, '')
  return url.pathname === path || url.pathname.startsWith(`${path}/`)
}
