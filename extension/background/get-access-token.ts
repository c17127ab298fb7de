/** `northbound_getAccessToken`: an access token, for a page that was granted `token` mode. */

import type { AccessToken, GetAccessTokenParams } from '../../shared/messages/page-api.ts'
import { covers, grantsOf } from './grants.ts'
import type { Call } from './page-router.ts'
import { noGrant } from './refusal.ts'
import { accessTokenOf } from './tokens.ts'

export async function getAccessToken(
  { origin }: Call,
  params: GetAccessTokenParams,
): Promise<AccessToken> {
  const { grantId, resource, scope, minValiditySeconds = 0 } = params
  for (const grant of await grantsOf(origin)) {
    if (grant.mode !== 'token' || (grantId !== undefined && grant.grantId !== grantId)) continue
    const api = grant.apis.find(
      (candidate) =>
        (resource === undefined || candidate.resource === resource) &&
        (scope === undefined || covers([candidate], { ...candidate, scope })),
    )
    if (!api) continue
    const token = await accessTokenOf(grant, api.resource, minValiditySeconds * 1_000)
    return {
      accessToken: token.accessToken,
      tokenType: token.tokenType,
      expiresAt: token.expiresAtMs,
      scope: token.scope,
      resource: api.resource,
      grantId: grant.grantId,
    }
  }
  throw noGrant()
}
