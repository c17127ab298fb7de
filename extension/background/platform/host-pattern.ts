/** Converts URLs to match patterns of the browser. Pure. */

/** Returns the match pattern of a URL's host. The browser's permissions have no ports. */
export function toHostPattern(url: string): string {
  const { protocol, hostname } = new URL(url)
  return `${protocol}//${hostname}/*`
}
