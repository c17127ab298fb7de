/** `northbound_getAccessToken`: an access token, for a page that was granted `token` mode. */

import type {
  AccessToken,
  ApiAccess,
  GetAccessTokenParams,
} from '../../../shared/messages/page-api.ts'
import { windowMayHelp } from '../authorization/silent-authorization.ts'
import { covers, type GrantRecord, grantsOf, touch } from '../grants/grants.ts'
import { offeredApis } from '../grants/offered-apis.ts'
import type { StoredToken } from '../grants/stored-token.ts'
import { setScopeInUse } from '../grants/token-records.ts'
import { noGrant } from '../platform/broker-error.ts'
import { changes } from '../platform/state-version.ts'
import { recordGiven, toAccessToken } from '../tokens/access-token-cache.ts'
import { accessTokenOf } from '../tokens/token-renewal.ts'
import type { Call } from './page-call.ts'
import { renewWithUser } from './user-interaction.ts'

async function tokenFor(
  call: Call,
  grant: GrantRecord,
  { resource, scope }: ApiAccess,
  { interactive = 'never', minValiditySeconds = 0 }: GetAccessTokenParams,
): Promise<StoredToken> {
  try {
    return await accessTokenOf(grant, resource, {
      scope,
      minValidityMs: minValiditySeconds * 1_000,
    })
  } catch (error) {
    if (interactive === 'never' || !windowMayHelp(error)) throw error
    await renewWithUser(call, grant)
    return accessTokenOf(grant, resource, { scope })
  }
}

export async function getAccessToken(
  call: Call,
  params: GetAccessTokenParams,
): Promise<AccessToken> {
  const before = changes()
  const { grantId, resource, scope } = params
  for (const grant of await grantsOf(call.origin)) {
    if (grant.mode !== 'token' || (grantId !== undefined && grant.grantId !== grantId)) continue
    const api = (await offeredApis(grant)).find(
      (candidate) =>
        (resource === undefined || candidate.resource === resource) &&
        (scope === undefined || covers([candidate], { ...candidate, scope })),
    )
    if (!api) continue
    const wanted = { ...api, scope: scope ?? api.scope }
    const token = await tokenFor(call, grant, wanted, params)
    await setScopeInUse(grant, api, wanted.scope)
    await touch(grant)
    recordGiven(params, grant, wanted, token, before)
    return toAccessToken(grant, api, token)
  }
  throw noGrant()
}
