/** Profile `oauth`: the RFCs without changes. */

import { joinScopes, scopeWithin } from '../oauth/scope.ts'
import type { Profile, ScopeOptions } from './profile.ts'

const withProtocolScopes = (
  scopes: readonly string[],
  { offlineAccess, idToken }: ScopeOptions,
): string =>
  joinScopes(
    ...(idToken ? ['openid'] : []),
    ...scopes,
    ...(offlineAccess ? ['offline_access'] : []),
  )

export const oauthProfile: Profile = {
  wellKnown: ['oauth2', 'oidc'],
  resourceIndicators: 'when_one',
  refreshTokens: true,
  // Most servers issue a refresh token without it, and some end the user's session for it.
  offlineAccess: 'never',
  openid: 'never',
  dpop: true,
  acceptsBearerForDpop: false,
  assertionAudience: 'issuer',
  successStatuses: [],
  authorizationScope: (apis, options) =>
    withProtocolScopes(
      apis.map(({ scope }) => scope),
      options,
    ),
  registrationScope: (apis, options) =>
    withProtocolScopes(
      apis.flatMap(({ scopes }) => scopes.map(({ scope }) => scope)),
      options,
    ) || undefined,
  metadataFor: (metadata) => metadata,
  codeRequest: () => ({ add: {}, omit: [] }),
  scopeWithin,
  isSingleUse: () => false,
}
