/**
 * Implements `northbound_getAccessToken`: returns an access token to a page with a grant of mode
 * `token`, as long as the grant lasts. The answer goes into the cache, from which `page-router.ts`
 * answers the next equal request.
 */

import { UNSTATED_EXPIRY_MS } from '../../../shared/core/index.ts'
import type {
  AccessToken,
  ApiAccess,
  GetAccessTokenParams,
} from '../../../shared/messages/page-api.ts'
import { windowMayHelp } from '../authorization/silent-authorization.ts'
import { runWithGrant } from '../grants/grant-use.ts'
import { coversApi, extendGrant, type GrantRecord, listGrants } from '../grants/grants.ts'
import { setTokenInUse } from '../grants/held-tokens.ts'
import { listOfferedApis } from '../grants/offered-apis.ts'
import type { StoredToken } from '../grants/stored-token.ts'
import { noGrant } from '../platform/broker-error.ts'
import { log } from '../platform/log.ts'
import { getStateVersion } from '../platform/state-version.ts'
import { cacheAnswer } from '../tokens/access-token-cache.ts'
import { dropRefusedToken, markReplacement } from '../tokens/refused-tokens.ts'
import { obtainAccessToken } from '../tokens/token-renewal.ts'
import type { Call } from './page-call.ts'
import { renewWithUser } from './user-interaction.ts'

/**
 * An access token of the grant. The user is asked where that is needed and the page allows a window.
 */
async function obtainTokenWithUser(
  call: Call,
  grant: GrantRecord,
  { resource, scope }: ApiAccess,
  { interactive = 'never', minValiditySeconds = 0, refused }: GetAccessTokenParams,
): Promise<StoredToken> {
  const isReplacement = refused !== undefined && (await dropRefusedToken(grant, refused))
  try {
    const token = await obtainAccessToken(grant, resource, {
      scope,
      minValidityMs: minValiditySeconds * 1_000,
    })
    if (isReplacement) await markReplacement(grant, resource, token.accessToken)
    return token
  } catch (error) {
    if (interactive === 'never' || !windowMayHelp(error)) throw error
    await renewWithUser(call, grant)
    return obtainAccessToken(grant, resource, { scope })
  }
}

/** A token without a stated life expires, for the page, with its grant. */
function toAccessToken(grant: GrantRecord, api: ApiAccess, token: StoredToken): AccessToken {
  const { grantId } = grant
  const { accessToken, tokenType, expiresAtMs, scope } = token
  const expiresAt = expiresAtMs === UNSTATED_EXPIRY_MS ? grant.expiresAt : expiresAtMs
  return { accessToken, tokenType, expiresAt, scope, resource: api.resource, grantId }
}

function explainMissing(grants: readonly GrantRecord[]): string {
  if (grants.length === 0) return 'this origin has no active grant'
  return grants.some(({ mode }) => mode === 'token')
    ? 'no active grant of mode token has the grantId, resource and scope of the call, and is still offered'
    : 'no active grant of this origin has the mode token'
}

/**
 * @throws BrokerError `no_grant` without a grant for the request; BrokerError or NorthkeyError of a
 * renewal.
 */
export async function getAccessToken(
  call: Call,
  params: GetAccessTokenParams,
): Promise<AccessToken> {
  const version = getStateVersion()
  const { grantId, resource, minValiditySeconds = 0, refused } = params
  const scope = params.scope || undefined
  const { origin } = call
  for (const grant of await listGrants(origin)) {
    if (grant.mode !== 'token' || (grantId !== undefined && grant.grantId !== grantId)) continue
    const api = (await listOfferedApis(grant)).find(
      (candidate) =>
        (resource === undefined || candidate.resource === resource) &&
        (scope === undefined || coversApi([candidate], { ...candidate, scope })),
    )
    if (!api) continue
    const wanted = { ...api, scope: scope ?? api.scope }
    const token = await runWithGrant(grant, wanted, call.signal, async (signal) => {
      const obtained = await obtainTokenWithUser({ ...call, signal }, grant, wanted, params)
      await setTokenInUse(grant, api.resource, obtained.accessToken)
      await extendGrant(grant)
      return obtained
    })
    const logAgain = log.record('token', 'given to the site', { ...grant, apis: [wanted] })
    const answer = toAccessToken(grant, api, token)
    const minValidityMs = minValiditySeconds * 1_000
    // A server may issue the refused token once more: the next report of it has to be heard.
    const key = refused === undefined ? call.key : undefined
    cacheAnswer(origin, key, { answer, grant, token, minValidityMs, log: logAgain }, version)
    return answer
  }
  throw noGrant(explainMissing(await listGrants(origin)))
}
