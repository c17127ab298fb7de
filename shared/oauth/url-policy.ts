/** Which URLs a request may go to: https, and http on loopback where it was asked for by name. */

import type { Effects } from './effects.ts'
import { NorthkeyError } from './error.ts'

const LOOPBACK_HOST = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Whether a host is this machine. @see RFC 6761 section 6.3, RFC 8252 section 7.3 */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK_HOST.test(hostname)
}

/** The parsed URL, or nothing. It is parsed once, which asking before parsing would not do. */
export function parseUrl(value: string): URL | undefined {
  try {
    return new URL(value)
  } catch {
    return undefined
  }
}

/**
 * The parsed URL, or an error that says which parameter was expected to be what.
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
