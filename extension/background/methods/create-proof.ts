/**
 * Implements `northbound_createProof`: signs a DPoP proof for a single request that a page makes
 * itself, with a token that it was given. The method is not a signing oracle: the token is one of the
 * grant, the URL is under a granted resource, the API allows the HTTP method, and proofs are
 * rate-limited and logged.
 *
 * @see RFC 9449 sections 4.2, 7.1 and 11.4
 */

import {
  camaraProofClaims,
  createDpopProof,
  NorthkeyError,
  profileOf,
} from '../../../shared/core/index.ts'
import type { CreateProofParams } from '../../../shared/messages/page-api.ts'
import { findTarget, requireMethod } from '../api-calls/call-target.ts'
import { parseCallUrl } from '../api-calls/resource-url.ts'
import { runWithGrant } from '../grants/grant-use.ts'
import type { GrantRecord } from '../grants/grants.ts'
import { getTokenInUse, isTokenOfGrant } from '../grants/held-tokens.ts'
import { getDpopKey, getRequiredProofClaims } from '../grants/token-records.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { invalidParams } from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { recordLogEntry } from '../platform/log.ts'
import { createRateLimiter } from '../platform/rate-limiter.ts'
import { obtainAccessToken } from '../tokens/token-renewal.ts'
import type { Call } from './page-call.ts'

/** Limits the rate of proofs that are signed for an origin. @see RFC 9449 section 11.4 */
const takeProof = createRateLimiter({ burst: 200, perSecond: 20 })

/**
 * The query of the request, which is in `query` or at the end of `htu`.
 *
 * @throws BrokerError if they differ.
 */
function readQuery(url: URL, query: string | undefined): string {
  const queryOfHtu = url.search.slice(1)
  if (query === undefined) return queryOfHtu
  if (queryOfHtu !== '' && queryOfHtu !== query) {
    throw invalidParams('query: expected the query of htu')
  }
  return query
}

/**
 * The token that the proof is for: the token that the page names, or the token that it got last for this API. No
 * token is renewed for a proof, since the page would not have the new one; a page that has no token yet gets the
 * proof for its first.
 *
 * @throws BrokerError `invalid_params` for a token that is not one of this grant.
 */
async function selectToken(
  grant: GrantRecord,
  resource: string,
  named: string | undefined,
): Promise<string> {
  if (named === undefined) {
    const inUse = await getTokenInUse(grant, resource)
    return inUse ?? (await obtainAccessToken(grant, resource)).accessToken
  }
  if (await isTokenOfGrant(grant, named)) return named
  throw invalidParams('accessToken: expected an access token of this grant that has not expired')
}

/** @throws BrokerError or NorthkeyError; `rate_limited` above 200 proofs at once or 20 a second. */
export async function createProof(
  { origin, signal: callSignal }: Call,
  params: CreateProofParams,
): Promise<{ dpop: string }> {
  const { grantId, htm, htu, body, nonce, accessToken } = params
  takeProof(origin)
  const url = parseCallUrl(htu, 'htu')
  const { grant, access, api, operator } = await findTarget(origin, url, grantId)
  if (grant.mode !== 'token' || grant.tokenType !== 'DPoP') {
    throw invalidParams('grantId: expected a grant of mode token with tokens of type DPoP')
  }
  if (api.tokenUse === 'single-use' || profileOf(operator).isSingleUse(access.scope)) {
    throw invalidParams('htu: expected an API whose tokens serve more than one call')
  }
  requireMethod(api, htm, 'htm')
  const query = readQuery(url, params.query)
  const dpop = await runWithGrant(grant, access, callSignal, async (signal) => {
    const token = await selectToken(grant, access.resource, accessToken)
    const key = await getDpopKey(grant, token)
    if (!key) throw new NorthkeyError('key_mismatch', 'the key of this grant is gone')
    if (nonce !== undefined) key.nonces.set(url.origin, nonce)
    const claims = await camaraProofClaims(await getRequiredProofClaims(grant), { body, query })
    return createDpopProof(
      { key, method: htm, url: url.href, accessToken: token, claims },
      createEffects(getServerOrigins(operator), signal),
    )
  })
  recordLogEntry('proof', htm, { ...grant, apis: [access] })
  return { dpop }
}
