/**
 * Intersects the requested APIs with the granted scope. A server often grants less, which the page sees. Scope
 * that the server adds to a requested scope is never passed on. An API that was requested without scope gets what
 * the server states. @see RFC 6749 section 3.3
 */

import type { ApiAccess, ApiRequest } from '../messages/page-api.ts'
import { scopeWords } from '../oauth/scope.ts'
import { profileOf } from '../profiles/index.ts'
import type { ServerConfig } from '../profiles/profile.ts'
import { PROTOCOL_SCOPES } from './refresh-scope.ts'

/** The requested APIs with the granted part of their scope. APIs of whose scope nothing is granted are left out. */
export function grantedApis(
  server: Pick<ServerConfig, 'profile'>,
  asked: readonly ApiRequest[],
  grantedScope: string,
): ApiAccess[] {
  const { scopeWithin } = profileOf(server)
  const named = new Set([
    ...asked.flatMap((api) => scopeWords(api.scope ?? '')),
    ...PROTOCOL_SCOPES,
  ])
  const stated = scopeWords(grantedScope).filter((word) => !named.has(word))
  return asked.flatMap((api) => {
    if (api.scope === undefined || api.scope === '') return [{ ...api, scope: stated.join(' ') }]
    const scope = scopeWithin(api.scope, grantedScope)
    return scope === '' ? [] : [{ ...api, scope }]
  })
}
