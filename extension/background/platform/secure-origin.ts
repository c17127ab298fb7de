/** Origins whose pages the browser trusts: https, and loopback in a development build. Pure. */

const LOOPBACK = /^http:\/\/(?:(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1)(?::\d{1,5})?$/

/** Tells whether an origin is this very device, on plain http. @see RFC 8252 section 8.3 */
export function isLoopbackOrigin(origin: string): boolean {
  return LOOPBACK.test(origin)
}

/**
 * An origin whose pages the browser trusts to be what they say.
 *
 * @see https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy
 */
export function isSecureOrigin(origin: string, development: boolean): boolean {
  const allowed = origin.startsWith('https:') || (development && isLoopbackOrigin(origin))
  return allowed && URL.canParse(origin) && new URL(origin).origin === origin
}
