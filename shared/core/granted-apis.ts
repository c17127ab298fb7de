/**
 * Intersects the requested APIs with the granted scope. A server often grants less, which the page sees. Scope
 * that the server adds is never passed on. @see RFC 6749 section 3.3
 */

import type { ApiAccess } from '../messages/page-api.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'

/** The requested APIs with the granted part of their scope. APIs without granted scope are left out. */
export function grantedApis(
  server: Pick<ServerConfig, 'profile'>,
  asked: readonly ApiAccess[],
  grantedScope: string,
): ApiAccess[] {
  const { scopeWithin } = profileOf(server)
  return asked.flatMap((api) => {
    const scope = scopeWithin(api.scope, grantedScope)
    return scope === '' ? [] : [{ ...api, scope }]
  })
}
