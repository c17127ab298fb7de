/**
 * What a page has been granted of what it asked. Less is common and shown; more is never handed out,
 * whatever the server adds. @see RFC 6749 section 3.3
 */

import type { ApiAccess } from '../messages/page-api.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'

/** The APIs with the part of their scope that was granted; those with nothing left are gone. */
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
