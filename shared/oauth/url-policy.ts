/** Policy for request URLs: https, and http on loopback if `allowInsecureLoopback` is set. */

import type { Effects } from './effects.ts'
import { NorthkeyError } from './error.ts'

const LOOPBACK_HOST = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Whether a host name is a loopback name or address. @see RFC 6761 section 6.3, RFC 8252 section 7.3 */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK_HOST.test(hostname)
}

/** Parses a URL, or returns `undefined`. It parses once, unlike `URL.canParse` before `new URL`. */
export function parseUrl(value: string): URL | undefined {
  try {
    return new URL(value)
  } catch {
    return undefined
  }
}

/**
 * Parses and checks a URL, or throws an error that names the parameter and the expectation.
 * @see RFC 6749 sections 3.1 and 3.2, RFC 8414 section 2
 */
export function requireSecureUrl(
  value: unknown,
  name: string,
  effects: Pick<Effects, 'allowInsecureLoopback'>,
): URL {
  const url = typeof value === 'string' ? parseUrl(value) : undefined
  if (url === undefined) {
    throw new NorthkeyError('invalid_metadata', `"${name}" must be an absolute URL`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new NorthkeyError('insecure_url', `"${name}" must not carry user information`)
  }
  const allowed =
    url.protocol === 'https:' ||
    (url.protocol === 'http:' &&
      effects.allowInsecureLoopback === true &&
      isLoopbackHost(url.hostname))
  if (!allowed) throw new NorthkeyError('insecure_url', `"${name}" must be an https URL`)
  return url
}
