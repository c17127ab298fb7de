/**
 * Which URLs lie under a granted resource. The URL is brought into its canonical form first and matched
 * then, on whole path segments; whatever a server might read differently is refused.
 */

import { invalidParams } from './refusal.ts'

/** Encoded separators and dots: a server may decode them after we have matched. */
const AMBIGUOUS = /%(?:2e|2f|5c|00|25)/i

/** @throws Refusal `invalid_params` */
export function canonicalUrl(url: string): URL {
  const parsed = new URL(url)
  if (parsed.username || parsed.password) throw invalidParams('url: expected no user information')
  if (parsed.hash) throw invalidParams('url: expected no fragment')
  if (AMBIGUOUS.test(parsed.pathname) || parsed.pathname.includes('//')) {
    throw invalidParams('url: expected a path without encoded or empty segments')
  }
  return parsed
}

export function isUnder(url: URL, resource: string): boolean {
  const base = new URL(resource)
  if (url.origin !== base.origin || url.origin === 'null') return false
  const path = base.pathname.replace(/\/$/, '')
  return url.pathname === path || url.pathname.startsWith(`${path}/`)
}
