/**
 * Derives the host permissions that an operator's profile requires, as match patterns of the browser. Pure.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { getServerOrigins } from './operator-servers.ts'

/** Returns the match pattern of a URL's host. The browser's permissions have no ports. */
export function toHostPattern(url: string): string {
  const { protocol, hostname } = new URL(url)
  return `${protocol}//${hostname}/*`
}

/** Lists the host of every server that the profile names, once each, for a single permission request. */
export function listHostPermissions(profile: OperatorProfile): string[] {
  return [...new Set([...getServerOrigins(profile)].map(toHostPattern))]
}
