/** Checks origins: https, and http on loopback in a development build. Pure. */

const LOOPBACK = /^http:\/\/(?:(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1)(?::\d{1,5})?$/

/** Tells whether an origin is on this device, with plain http. @see RFC 8252 section 8.3 */
export function isLoopbackOrigin(origin: string): boolean {
  return LOOPBACK.test(origin)
}

/**
 * Tells whether an origin is potentially trustworthy: no party on the network path can change its pages.
 *
 * @see https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy
 */
export function isSecureOrigin(origin: string, development: boolean): boolean {
  const allowed = origin.startsWith('https:') || (development && isLoopbackOrigin(origin))
  return allowed && URL.canParse(origin) && new URL(origin).origin === origin
}
