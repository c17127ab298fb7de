/** Profile `oauth`: the RFCs without changes. */

import { joinScopes, requireScope, scopeWithin } from '../oauth/scope.ts'
import type { Profile } from './profile.ts'

export const oauthProfile: Profile = {
  wellKnown: ['oauth2', 'oidc'],
  resourceIndicators: true,
  refreshTokens: true,
  openid: 'never',
  dpop: true,
  acceptsBearerForDpop: false,
  assertionAudience: 'issuer',
  successStatuses: [],
  authorizationScope: (apis, { offlineAccess, idToken }) =>
    joinScopes(
      ...(idToken ? ['openid'] : []),
      ...apis.map((api) => requireScope(api.scope)),
      ...(offlineAccess ? ['offline_access'] : []),
    ),
  metadataFor: (metadata) => metadata,
  codeRequest: () => ({ add: {}, omit: [] }),
  scopeWithin,
  isSingleUse: () => false,
}
