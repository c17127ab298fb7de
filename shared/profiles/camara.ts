/**
 * Profile `camara`: the CAMARA Security and Interoperability Profile over OpenID Connect. A request has one
 * purpose and always returns an ID token; a refresh token is optional; some APIs have single-use tokens.
 */

import type { ApiAccess } from '../messages/page-api.ts'
import { base64url } from '../oauth/base64url.ts'
import { NorthkeyError } from '../oauth/error.ts'
import { joinScopes, requireScope, scopeWithin, scopeWords } from '../oauth/scope.ts'
import type { Profile } from './profile.ts'

const PURPOSE = /^dpv:[A-Za-z]+$/

/** Scopes with single-use tokens, which live for 300 s at most. */
const SINGLE_USE = /^number-verification:/

/** Returns the single purpose of a request, from `purpose` or from the scope. */
export function camaraPurpose(apis: readonly ApiAccess[]): string {
  const purposes = new Set(
    apis.flatMap(({ scope, purpose }) => [
      ...scopeWords(requireScope(scope)).filter((word) => word.startsWith('dpv:')),
      ...(purpose === undefined ? [] : [purpose]),
    ]),
  )
  const [purpose, ...more] = purposes
  if (purpose === undefined || more.length > 0 || !PURPOSE.test(purpose)) {
    throw new NorthkeyError('invalid_params', '"purpose" must be exactly one dpv: term')
  }
  return purpose
}

/** Makes the claims that bind a proof to the octets of body and query. Both are hashes of raw bytes. */
export async function camaraProofClaims(
  required: readonly string[] | undefined,
  parts: { body?: BufferSource | string | undefined; query?: string | undefined },
): Promise<Record<string, string>> {
  const claims: Record<string, string> = {}
  if (required?.includes('camara:bh') && parts.body !== undefined) {
    claims['camara:bh'] = await hashBytes(parts.body)
  }
  if (required?.includes('camara:qh') && parts.query !== undefined && parts.query !== '') {
    claims['camara:qh'] = await hashBytes(parts.query)
  }
  return claims
}

async function hashBytes(data: BufferSource | string): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

export const camaraProfile: Profile = {
  wellKnown: ['oidc', 'oauth2'],
  resourceIndicators: 'never',
  refreshTokens: true,
  offlineAccess: 'when_offered',
  openid: 'required',
  dpop: true,
  acceptsBearerForDpop: true,
  assertionAudience: 'endpoint',
  successStatuses: [],

  authorizationScope(apis, { offlineAccess }) {
    const words = scopeWords(apis.map((api) => api.scope).join(' '))
    const own = words.filter((word) => !word.startsWith('dpv:') && word !== 'offline_access')
    return joinScopes(
      'openid',
      camaraPurpose(apis),
      ...own,
      ...(offlineAccess && !own.some((word) => SINGLE_USE.test(word)) ? ['offline_access'] : []),
    )
  },

  registrationScope(apis, { offlineAccess }) {
    // An API that names no purposes may be requested for any purpose.
    if (apis.some(({ purposes }) => purposes === undefined)) return undefined
    return joinScopes(
      'openid',
      ...apis.flatMap(({ purposes = [] }) => purposes),
      ...apis.flatMap(({ scopes }) => scopes.map(({ scope }) => scope)),
      ...(offlineAccess ? ['offline_access'] : []),
    )
  },

  metadataFor: (metadata) => metadata,
  codeRequest: () => ({ add: {}, omit: [] }),
  scopeWithin,
  isSingleUse: (scope) => scopeWords(scope).some((word) => SINGLE_USE.test(word)),
}
