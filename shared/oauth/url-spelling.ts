/**
 * Defines the canonical spelling of a URL. Two spellings of one URL look different to a program that compares
 * strings, and two URLs can look the same to a reader. So a URL that somebody decides on has exactly one spelling:
 * the one that the URL standard serializes, with the escapes of RFC 3986 in their normal form. Any other spelling
 * is an error, and is never corrected.
 *
 * Border: the scheme is not judged here (`url-policy.ts`); `path-check.ts` has the rules for paths, which also hold
 * for the URL of a call. A base URL may end with or without a slash, since an
 * issuer identifier is compared as a string; `toComparableUrl` finds two that differ in that alone.
 *
 * @see RFC 3986 section 6.2.2, https://url.spec.whatwg.org/#url-serializing
 */

import { EXPECTED_PATH, hasUnambiguousPath } from './path-check.ts'
import { parseUrl } from './url-policy.ts'

const PARTS = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]+)([^?#]*)/i
/** A DNS name, or an address of IPv4 or IPv6; then the port. @see RFC 1035 section 2.3.4 */
const HOST = /^(?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]+\])(?::[1-9]\d*)?$/
const HOST_LIMIT = 253

/** Escapes of characters that need none (RFC 3986 section 2.3). */
const UNRESERVED = /%(?:2[DE]|3\d|4[1-9A-F]|5[0-9A]|5F|6[1-9A-F]|7[0-9A]|7E)/
/** Escapes of control characters, `%`, `/`, `;`, `\` and delete, which a server may decode too early. */
const AMBIGUOUS = /%(?:[01][0-9A-F]|25|2F|3B|5C|7F)/

/** Expectations for the authority, in the order in which they are checked. */
function findAuthorityFault(scheme: string, authority: string): string | undefined {
  if (authority.includes('@')) return 'no user information'
  if (authority.includes('%')) return 'a host without percent-encoding'
  if (/[A-Z]/.test(scheme + authority)) return 'scheme and host in lower case'
  if (/\.(?::|$)/.test(authority)) return 'a host without a dot at its end'
  if (!HOST.test(authority)) return 'a host of letters, digits, hyphens and dots, without a pattern'
  if (authority.replace(/:\d+$/, '').length > HOST_LIMIT) return 'a host of at most 253 characters'
  return undefined
}

/** Expectations for the path that are told more exactly than by `path-check.ts`, in the order of their check. */
function findPathFault(path: string): string | undefined {
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return 'a path without dot segments'
  if (path.includes('//')) return 'a path without empty segments'
  if (/%(?![0-9A-F]{2})/.test(path)) return 'percent-encoding with two upper-case digits'
  if (UNRESERVED.test(path)) return 'no percent-encoding of letters, digits, "-", ".", "_" and "~"'
  if (AMBIGUOUS.test(path)) return 'no percent-encoding of separators and control characters'
  return undefined
}

/**
 * Checks the spelling of an absolute URL.
 *
 * @returns What was expected, without the value; `undefined` for the canonical spelling.
 */
export function findSpellingFault(text: string): string | undefined {
  if (!/^[\x21-\x7e]+$/.test(text)) return 'printable ASCII, a host with other letters as xn--'
  if (text.includes('\\')) return 'no backslash'
  const [, scheme, authority, path = ''] = PARTS.exec(text) ?? []
  if (scheme === undefined || authority === undefined) return 'two slashes between scheme and host'
  const fault = findAuthorityFault(scheme, authority)
  if (fault !== undefined) return fault
  const url = parseUrl(text)
  if (url === undefined) return 'a valid host and port'
  if (url.port === '' && /:\d+$/.test(authority)) return 'no default port'
  if (url.host !== authority) return 'an address of IPv4 or IPv6 in its usual form'
  const pathFault = findPathFault(path) ?? (hasUnambiguousPath(url) ? undefined : EXPECTED_PATH)
  const isCanonical = url.href === text || url.href === `${text}/`
  return pathFault ?? (isCanonical ? undefined : 'the spelling of the URL standard')
}

/** Tells whether an origin has the canonical spelling, which is the one that `location.origin` prints. */
export function isCanonicalOrigin(text: string): boolean {
  return findSpellingFault(text) === undefined && parseUrl(text)?.origin === text
}

/**
 * Converts a URL to the form in which URLs that look the same to a reader are equal: without slashes at the
 * end, in lower case.
 */
export function toComparableUrl(text: string): string {
  return (parseUrl(text)?.href ?? text).toLowerCase().replace(/\/+$/, '')
}
