/**
 * Checks the `websocketUri` at which a CAPIF core wants to send notifications: a wss URL on a host that the
 * operator's profile names. The core cannot lead the broker, and the user's address, to any other host. Pure.
 *
 * @see TS 29.222 clause 7.6, RFC 6455 section 3
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { isAllowedWebSocket } from '../platform/effects.ts'
import { isSecureOrigin } from '../platform/secure-origin.ts'

/** The reason for a server that the profile could name; the screen of operators offers to add it. */
export const UNNAMED_SERVER = 'expected a server that the profile names'

/**
 * @param development Whether ws on loopback is allowed.
 * @returns The reason why the URI is rejected, without its value; `undefined` if it is accepted.
 */
export function describeRejectedUri(
  profile: OperatorProfile,
  websocketUri: string,
  development: boolean,
): string | undefined {
  const url = URL.canParse(websocketUri) ? new URL(websocketUri) : undefined
  if (!url || !/^wss?:$/.test(url.protocol)) return 'expected a wss URL'
  if (url.username !== '' || url.password !== '') return 'expected no user information'
  if (websocketUri.includes('#')) return 'expected no fragment'
  const httpUrl = new URL(url.href.replace(/^ws/, 'http'))
  if (!isSecureOrigin(httpUrl.origin, development)) return 'expected a wss URL'
  const isNamed = isAllowedWebSocket(websocketUri, getServerOrigins(profile))
  return isNamed ? undefined : UNNAMED_SERVER
}
