/**
 * Implements `northbound_createProof`: signs a DPoP proof for a single request that a page makes
 * itself, with a token that it was given. The method is not a signing oracle: the token belongs to the
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
import { canonicalUrl } from '../api-calls/resource-url.ts'
import { getDpopKey, getRequiredProofClaims, getScopeInUse } from '../grants/token-records.ts'
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

/** @throws BrokerError or NorthkeyError; `rate_limited` above 200 proofs at once or 20 a second. */
export async function createProof(
  { origin, signal }: Call,
  params: CreateProofParams,
): Promise<{ dpop: string }> {
  const { grantId, htm, htu, body, nonce } = params
  takeProof(origin)
  const url = canonicalUrl(htu)
  const { grant, access, api, operator } = await findTarget(origin, url, grantId)
  if (grant.mode !== 'token' || grant.tokenType !== 'DPoP') {
    throw invalidParams('grantId: expected a grant of mode token with tokens of type DPoP')
  }
  if (api.tokenUse === 'single-use' || profileOf(operator).isSingleUse(access.scope)) {
    throw invalidParams('htu: expected an API whose tokens serve more than one call')
  }
  requireMethod(api, htm, 'htm')
  const query = readQuery(url, params.query)
  const scope = await getScopeInUse(grant, access)
  const { accessToken } = await obtainAccessToken(grant, access.resource, { scope })
  const key = await getDpopKey(grant)
  if (!key) throw new NorthkeyError('key_mismatch', 'the key of this grant is gone')
  if (nonce !== undefined) key.nonces.set(url.origin, nonce)
  const claims = await camaraProofClaims(await getRequiredProofClaims(grant), { body, query })
  const dpop = await createDpopProof(
    { key, method: htm, url: url.href, accessToken, claims },
    createEffects(signal),
  )
  recordLogEntry('proof', htm, { ...grant, apis: [access] })
  return { dpop }
}
