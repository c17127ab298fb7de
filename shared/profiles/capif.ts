/**
 * Profile `capif`: a CAPIF core function as authorization function (TS 23.222 clause 7.5).
 *
 * TS 29.222 defines a token endpoint and no authorization endpoint, calls the code `authCode`, and has
 * no `code_verifier`, no refresh token and no proof of possession (TS 33.122 annex C: bearer). By default the
 * code is sent under both names: a strict CAPIF core and a standard OAuth server both accept that request.
 */

import { NorthkeyError } from '../oauth/error.ts'
import { joinScopes, requireScope } from '../oauth/scope.ts'
import { capifScopeWithin, joinCapifScopes } from './capif-scope.ts'
import type { Profile, ServerConfig } from './profile.ts'

/** The token endpoint of one API invoker. @see TS 29.222 clause 8.5, CAPIF_Security_API */
export function capifTokenEndpoint(apiRoot: string, apiInvokerId: string): string {
  const root = apiRoot.replace(/\/+$/, '')
  return `${root}/capif-security/v1/securities/${encodeURIComponent(apiInvokerId)}/token`
}

/** `gpsi` of TS 29.571. */
const GPSI = /^(msisdn-[0-9]{5,15}|extid-[^@]+@[^@]+|.+)$/

export const capifProfile: Profile = {
  wellKnown: ['oauth2', 'oidc'],
  resourceIndicators: 'never',
  refreshTokens: false,
  offlineAccess: 'never',
  // Only an ID token lets a silent authorization renew a grant.
  openid: 'when_offered',
  dpop: false,
  acceptsBearerForDpop: false,
  assertionAudience: 'endpoint',
  // Some cores answer a token request with 201.
  successStatuses: [201],

  authorizationScope(apis, { idToken }) {
    const scope = joinCapifScopes(apis.map((api) => requireScope(api.scope)))
    // A CAPIF scope begins with its `3gpp#` word.
    return idToken ? joinScopes(scope, 'openid') : scope
  },

  // A `3gpp#` word stands for a combination of APIs, and the combinations cannot be listed.
  registrationScope: () => undefined,

  metadataFor(metadata, server: ServerConfig, clientId) {
    if (metadata.token_endpoint !== undefined) return metadata
    const apiRoot = server.capif?.apiRoot
    if (apiRoot === undefined) {
      throw new NorthkeyError('invalid_metadata', '"capif.apiRoot" or a token endpoint must be set')
    }
    return { ...metadata, token_endpoint: capifTokenEndpoint(apiRoot, clientId) }
  },

  codeRequest(code, settings, gpsi) {
    const { authCode = 'both', resOwnerId = 'omit' } = settings ?? {}
    const add: Record<string, string> = {}
    if (authCode !== 'code') add.authCode = code
    if (gpsi !== undefined && resOwnerId !== 'omit') {
      if (!GPSI.test(gpsi)) throw new NorthkeyError('invalid_params', '"gpsi" must be a GPSI')
      if (resOwnerId === 'gpsi') add.gpsi = gpsi
      else add.resOwnerId = JSON.stringify({ gpsi })
    }
    return { add, omit: authCode === 'authCode' ? ['code'] : [] }
  },

  scopeWithin: capifScopeWithin,
  isSingleUse: () => false,
}
