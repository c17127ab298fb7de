/**
 * Supplies the access tokens of grants and renews them: with the refresh token first, then by an
 * authorization without a window.
 *
 * - Single flight: calls that need the same token of a grant share a renewal. A token for single use is
 *   not shared.
 * - The renewals of a grant run one after the other, and few of them may wait: a renewal that has begun goes on when
 *   its page is gone, and must not send requests for hours.
 * - Where neither way is open, the error is `interaction_required`: a window may renew the grant.
 *
 * Border: `token-refresh.ts` and `silent-renewal.ts` are the two ways; `grants/token-records.ts` stores tokens;
 * `access-token-cache.ts` caches answers to pages.
 *
 * @see RFC 6749 section 6, RFC 9700 section 4.14
 */

import { isNorthkeyError } from '../../../shared/core/index.ts'
import { type ApiAccess, ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { hasGrantEnded } from '../grants/ended-grants.ts'
import { sendGrantsChanged } from '../grants/grant-events.ts'
import { changeGrant, type GrantRecord, listGrants } from '../grants/grants.ts'
import { exceedsScope, getTokenSlot, isFresh, type StoredToken } from '../grants/stored-token.ts'
import { dropAccessToken, readTokens, removeAccessToken } from '../grants/token-records.ts'
import { listUnexpired, runInGrantQueue } from '../grants/token-store.ts'
import { findOperator } from '../operators/operators.ts'
import {
  apiWithdrawn,
  BrokerError,
  grantEnded,
  noGrant,
  operatorGone,
  rateLimited,
} from '../platform/broker-error.ts'
import { log } from '../platform/log.ts'
import { createRateLimiter } from '../platform/rate-limiter.ts'
import { createSemaphore } from '../platform/semaphore.ts'
import { createSingleFlight } from '../platform/single-flight.ts'
import { requireUnrefused } from './refused-tokens.ts'
import { renewSilently } from './silent-renewal.ts'
import { isRefreshable, refreshAccessToken } from './token-refresh.ts'

const renewals = createSingleFlight<StoredToken>()

/** Renewals of one grant that run or wait: twice the APIs that a grant can have. */
const MAX_RENEWALS_OF_GRANT = 32

const pendingRenewals = createSemaphore({
  perKey: MAX_RENEWALS_OF_GRANT,
  total: Number.POSITIVE_INFINITY,
  waitingPerKey: 0,
  waitingTotal: 0,
})

/**
 * Access tokens of one grant that are valid at once. A page can request each subset of the granted scope, and
 * each of them is a token that is stored, and has to be revoked with the grant.
 */
export const MAX_VALID_TOKENS = 64

const tooManyTokens = () =>
  rateLimited('too many access tokens of this grant are valid; use one of them', 60)

/**
 * Limits the renewals that a page causes although the token is fresh: it requests a longer validity than the
 * operator gives, with each call.
 */
const takeEarlyRenewal = createRateLimiter({ burst: 200, perSecond: 1 })

/**
 * Takes an API out of a grant that has others, if the server gives no token for it beside them. The refresh token
 * goes on to serve the others, and the grant says which APIs it serves.
 *
 * @throws BrokerError `invalid_target` if the API was taken out.
 * @see RFC 8707 section 2
 */
async function withdrawRefusedApi(
  grant: GrantRecord,
  { resource }: ApiAccess,
  error: unknown,
): Promise<void> {
  const isRefused = isNorthkeyError(error) && error.error === 'invalid_target'
  if (!isRefused || grant.apis.every((api) => api.resource === resource)) return
  await changeGrant(grant, ({ apis }) => ({
    apis: apis.filter((api) => api.resource !== resource),
  }))
  await sendGrantsChanged(grant.origin)
  throw apiWithdrawn()
}

/**
 * Adds to an error that asks for a window why the refresh token did not serve: the operator has ended or refused it.
 *
 * @param refusal The error of the refresh.
 */
function addRefusedRefresh(error: unknown, refusal: unknown): unknown {
  if (!isNorthkeyError(refusal) || !(error instanceof BrokerError)) return error
  if (error.code !== ERROR_CODE.interactionRequired) return error
  const { error: word, httpStatus } = refusal
  if (word === undefined && httpStatus === undefined) return error
  const reason = `the operator refused the refresh token (${word ?? `HTTP status ${httpStatus}`})`
  return new BrokerError(error.code, error.data.error, `${reason}; ${error.message}`)
}

/** The grant as it is stored now: a renewal before this one may have given it another client. */
async function readCurrent(grant: GrantRecord): Promise<GrantRecord> {
  const stored = (await listGrants(grant.origin)).find(({ grantId }) => grantId === grant.grantId)
  return { ...grant, clientId: stored?.clientId ?? grant.clientId }
}

/**
 * Renews with the refresh token; if that is missing, or does not serve for now, without a window.
 */
async function renewAccessToken(
  former: GrantRecord,
  api: ApiAccess,
  scope: string,
): Promise<StoredToken> {
  const grant = await readCurrent(former)
  const server = await findOperator(grant.issuer)
  if (!server) throw operatorGone()
  const record = await readTokens(grant.grantId)
  if (record && listUnexpired(record).length >= MAX_VALID_TOKENS) throw tooManyTokens()
  if (record) requireUnrefused(record, api.resource)
  let refusal: unknown
  if (record && (await isRefreshable(grant, server, record, scope))) {
    const outcome = await refreshAccessToken(grant, server, record, api, scope)
    if ('token' in outcome) return outcome.token
    await withdrawRefusedApi(grant, api, outcome.error)
    refusal = outcome.error
  }
  // The grant may have ended while the refresh was in flight, or while an earlier renewal ran.
  if (hasGrantEnded(grant.grantId)) throw grantEnded()
  return renewSilently(grant, server, api, scope, record?.keyId).catch((error) => {
    throw addRefusedRefresh(error, refusal)
  })
}

export interface TokenRequirements {
  minValidityMs?: number
  /**
   * The token must not have more scope than this. Without it, a token may serve other APIs of the grant
   * too.
   */
  scope?: string | undefined
}

/**
 * An access token of this grant for this resource.
 *
 * @throws BrokerError or NorthkeyError; `interaction_required` where only a window would help, `rate_limited` for
 * too many valid tokens, too many renewals at once, or too many early ones.
 */
export async function obtainAccessToken(
  grant: GrantRecord,
  resource: string,
  requirements: TokenRequirements = {},
): Promise<StoredToken> {
  const { minValidityMs = 0, scope } = requirements
  const api = grant.apis.find((candidate) => candidate.resource === resource)
  if (!api) throw noGrant('the grant does not have the API of the call')
  const slot = getTokenSlot(api, scope ?? api.scope)
  const key = `${grant.grantId} ${slot}`
  const running = renewals.join(key)
  if (running) return awaitRenewal(running, grant, resource, requirements)
  const record = await readTokens(grant.grantId)
  const cached = record?.tokens[slot]
  // Without a refresh token, another token would have the same scope.
  const fits =
    cached &&
    (scope === undefined ||
      record?.refreshToken === undefined ||
      !exceedsScope(cached.scope, scope, grant.apis))
  if (fits && isFresh(cached, minValidityMs, Date.now())) {
    if (!cached.singleUse) return cached
    // Two calls may have read the same token for single use. The call that removes it gets it.
    if (await dropAccessToken(grant.grantId, slot, cached.accessToken)) return cached
    return obtainAccessToken(grant, resource, requirements)
  }
  // Another call may have begun a renewal while this call read the record.
  const begun = renewals.join(key)
  if (begun) return awaitRenewal(begun, grant, resource, requirements)
  if (fits && isFresh(cached, 0, Date.now())) takeEarlyRenewal(grant.origin)
  const release = pendingRenewals.tryAcquire(grant.grantId)
  if (!release) throw rateLimited('too many tokens of this grant are renewed; ask again later', 1)
  return renewals.run(key, () =>
    runInGrantQueue(grant.grantId, async () => {
      const token = await renewAccessToken(grant, api, scope ?? api.scope)
      log.record('token', 'renewed', { ...grant, apis: [api] })
      if (token.singleUse) await removeAccessToken(grant.grantId, slot, token.accessToken)
      return token
    }).finally(release),
  )
}

/**
 * Waits for a renewal in flight. A token for single use goes to the call that began it; this call
 * renews again.
 */
async function awaitRenewal(
  renewal: Promise<StoredToken>,
  grant: GrantRecord,
  resource: string,
  requirements: TokenRequirements,
): Promise<StoredToken> {
  const token = await renewal
  return token.singleUse ? obtainAccessToken(grant, resource, requirements) : token
}
