/** Security headers of the demo site, for all of its answers. */

import type { DemoSiteConfig } from '../app/config.ts'

/**
 * Returns the content security policy of the page. It may connect to the API, which it calls itself in `token`
 * mode only, and to the stream that it measures.
 *
 * @see Content Security Policy Level 3
 */
export function contentSecurityPolicy({ resource, streamUrl }: DemoSiteConfig): string {
  const origins = [resource, ...(streamUrl ? [streamUrl] : [])].map((url) => new URL(url).origin)
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${origins.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}

export function securityHeaders(config: DemoSiteConfig): Record<string, string> {
  return {
    'Content-Security-Policy': contentSecurityPolicy(config),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  }
}
