/**
 * Derives the host permissions that an operator's profile requires, as match patterns of the browser. Pure.
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { toHostPattern } from '../platform/host-pattern.ts'
import { getServerOrigins } from './operator-servers.ts'

/** Lists the host of every server that the profile names, once each, for a single permission request. */
export function listHostPermissions(profile: OperatorProfile): string[] {
  return [...new Set([...getServerOrigins(profile)].map(toHostPattern))]
}
