/**
 * The `scope` of a refresh request. Some servers take it as the new scope of the whole grant: without
 * `offline_access` they issue tokens that do not work. So a request names a scope only to leave out scopes of APIs,
 * and then it names all the others. @see RFC 6749 section 6
 */

import { NorthkeyError } from '../oauth/error.ts'
import { scopeWords } from '../oauth/scope.ts'

/** Scopes of the protocol, which belong to no API. @see OpenID Connect Core sections 3.1.2.1 and 11 */
export const PROTOCOL_SCOPES: readonly string[] = ['openid', 'offline_access']

export interface WantedScope {
  /** The scope that is wanted, a part of the granted scope. Default: all of it. */
  scope?: string | undefined
  /** The granted scope, if known. A request never exceeds it. */
  grantedScope?: string | undefined
  /** The granted APIs with their scopes. Default: each word is of an API, except the scopes of the protocol. */
  apis?: readonly { scope: string }[] | undefined
}

/**
 * The scope to name; `undefined` where the whole grant is wanted.
 * @throws NorthkeyError `invalid_params` for a scope that exceeds the granted scope.
 */
export function refreshScope({ scope, grantedScope, apis }: WantedScope): string | undefined {
  if (scope === undefined || grantedScope === undefined) return scope
  const granted = scopeWords(grantedScope)
  const wanted = scopeWords(scope)
  if (!wanted.every((word) => granted.includes(word))) {
    throw new NorthkeyError('invalid_params', '"scope" must lie within the scope of the grant')
  }
  const ofApis = apis
    ? apis.flatMap((api) => scopeWords(api.scope))
    : granted.filter((word) => !PROTOCOL_SCOPES.includes(word))
  const leftOut = ofApis.filter((word) => !wanted.includes(word))
  if (leftOut.length === 0) return undefined
  return granted.filter((word) => !leftOut.includes(word)).join(' ') || undefined
}
