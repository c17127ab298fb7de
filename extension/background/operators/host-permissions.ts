/**
 * Derives the host permissions that an operator's profile requires, as match patterns of the browser. Pure.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'

/** Returns the match pattern of a URL's host. The browser's permissions have no ports. */
export function toHostPattern(url: string): string {
  const { protocol, hostname } = new URL(url)
  return `${protocol}//${hostname}/*`
}

/** Lists every host that the profile names, once each, for a single permission request. */
export function listHostPermissions(profile: OperatorProfile): string[] {
  const { issuer, capif, apis, metadata = {} } = profile
  const endpoints = Object.entries(metadata)
    .filter(([name]) => /_(?:endpoint|uri)$/.test(name))
    .map(([, value]) => value)
    .filter((value) => typeof value === 'string' && URL.canParse(value))
  const urls = [issuer, capif?.apiRoot ?? issuer, ...apis.map(({ resource }) => resource)]
  return [...new Set([...urls, ...(endpoints as string[])].map(toHostPattern))]
}
