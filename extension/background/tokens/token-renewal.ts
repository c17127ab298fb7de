/**
 * Supplies the access tokens of grants and renews them: with the refresh token first, then by an
 * authorization without a window.
 *
 * - Single flight: calls that need the same token of a grant share a renewal. A token for single use is
 *   not shared.
 * - The renewals of a grant run one after the other, and few of them may wait: a renewal that has begun goes on when
 *   its page is gone, and must not send requests for hours.
 * - A rotated refresh token is stored before any call gets the access token that came with it.
 * - A refresh token that may have reached the server is never sent again.
 * - An authorization without a window belongs to whoever has a session at the operator. So it renews only a
 *   grant whose subscriber is identified, and has to bring an ID token of that subscriber.
 *
 * Border: `grants/token-records.ts` stores tokens; `access-token-cache.ts` caches answers to pages.
 *
 * @see RFC 6749 section 6, RFC 9700 section 4.14
 */

import { isNorthkeyError, refreshTokens, type TokenSet } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { type ApiAccess, ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { scopeWithin, scopeWords } from '../../../shared/oauth/scope.ts'
import { authorizeSilently, needsInteraction } from '../authorization/silent-authorization.ts'
import { getClientKey } from '../clients/clients.ts'
import { deleteKey, getKey } from '../clients/keys.ts'
import { hasGrantEnded } from '../grants/ended-grants.ts'
import type { GrantRecord } from '../grants/grants.ts'
import {
  exceedsScope,
  getTokenSlot,
  isFresh,
  type StoredToken,
  supersede,
  toStoredToken,
} from '../grants/stored-token.ts'
import { isSameSubscriber } from '../grants/subject-handle.ts'
import {
  discardTokens,
  dropAccessToken,
  listUnexpired,
  readTokens,
  removeAccessToken,
  revokeUnused,
  runInGrantQueue,
  saveRecord,
  saveTokens,
  type TokenRecord,
} from '../grants/token-records.ts'
import { markTokenUse } from '../grants/token-use.ts'
import { getServerOrigins, namesRequestServers } from '../operators/operator-servers.ts'
import { findOperator } from '../operators/operators.ts'
import { BrokerError, interactionRequired, noGrant, rateLimited } from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { log } from '../platform/log.ts'
import { createRateLimiter } from '../platform/rate-limiter.ts'
import { createSemaphore } from '../platform/semaphore.ts'
import { createSingleFlight } from '../platform/single-flight.ts'
import { recordRefusal, requireAttempt } from './refused-attempts.ts'
import { requireUnrefused } from './refused-tokens.ts'

type Refreshable = TokenRecord & { refreshToken: string }

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

const selectUnexpiredSlots = ({ tokens }: TokenRecord): TokenRecord['tokens'] =>
  Object.fromEntries(Object.entries(tokens).filter(([, token]) => token.expiresAtMs > Date.now()))

/**
 * Tells whether the key to which the refresh token is bound exists. The token is of no use without it.
 */
async function hasKey({ tokenType }: GrantRecord, { keyId }: TokenRecord): Promise<boolean> {
  return tokenType !== 'DPoP' || (await getKey(keyId)) !== undefined
}

const isInvalidGrant = (error: unknown) => isNorthkeyError(error) && error.error === 'invalid_grant'

/** Sends the refresh token, which is marked as sent before. */
async function refreshAccessToken(
  grant: GrantRecord,
  server: OperatorProfile,
  record: TokenRecord,
  refreshToken: string,
  api: ApiAccess,
  scope: string,
): Promise<StoredToken> {
  const { resource } = api
  if (!navigator.onLine) {
    throw new BrokerError(ERROR_CODE.unreachable, 'network_error', 'this device is offline')
  }
  await saveRecord(grant, { ...record, refreshSent: true })
  let set: TokenSet
  let rejectedTokens: TokenSet | undefined
  try {
    set = await refreshTokens(
      {
        server,
        metadata: record.metadata,
        clientId: grant.clientId,
        refreshToken,
        grantedScope: record.scope,
        resource,
        scope,
        idTokenClaims: record.idTokenClaims,
        onTokensRejected: (tokens) => {
          rejectedTokens = tokens
        },
        dpop: await getKey(record.keyId),
        clientKey: await getClientKey(server, grant.origin),
      },
      createEffects(getServerOrigins(server)),
    )
  } catch (error) {
    // Without a response it is unknown whether the server consumed the refresh token: it is dropped. After
    // `invalid_grant` the access tokens are dropped too: the refresh token may have been stolen and used.
    const { refreshToken: _, ...rest } = record
    if (rejectedTokens) await discardTokens(grant, record, rejectedTokens)
    else await saveRecord(grant, isInvalidGrant(error) ? { ...rest, tokens: {} } : rest)
    throw error
  }
  const token = toStoredToken(await markTokenUse(grant, api.resource, set), Date.now())
  const slot = getTokenSlot(api, scope)
  const former = record.tokens[slot]
  await saveRecord(grant, {
    ...record,
    superseded: supersede(record, former ? [former] : [], Date.now()),
    tokens: { ...selectUnexpiredSlots(record), [slot]: token },
    refreshToken: set.refreshToken ?? refreshToken,
  })
  return token
}

/**
 * Tells whether there is a refresh token that has not been sent yet, that covers the scope, and whose ID token
 * identified the subscriber of the grant if that is identified.
 */
function isRefreshable(
  record: TokenRecord | undefined,
  scope: string,
  { subscriber }: GrantRecord,
): record is Refreshable {
  if (record?.refreshToken === undefined || record.refreshSent) return false
  if (subscriber === 'identified' && record.idTokenClaims === undefined) return false
  return scopeWithin(scope, record.scope) === scopeWords(scope).join(' ')
}

const anotherSubscriber = () =>
  new BrokerError(
    ERROR_CODE.interactionRequired,
    'login_required',
    'another subscriber is signed in at the operator',
  )

/**
 * Renews with the refresh token; if that is missing, the server rejects it, or the profile no longer names the
 * servers at which it was issued, without a window.
 */
async function renewAccessToken(
  grant: GrantRecord,
  api: ApiAccess,
  scope: string,
): Promise<StoredToken> {
  const server = await findOperator(grant.issuer)
  if (!server) throw noGrant()
  const record = await readTokens(grant.grantId)
  if (record && listUnexpired(record).length >= MAX_VALID_TOKENS) throw tooManyTokens()
  if (record) requireUnrefused(record, api.resource)
  const isUsable =
    isRefreshable(record, scope, grant) && namesRequestServers(server, record.metadata)
  if (isUsable && (await hasKey(grant, record))) {
    try {
      return await refreshAccessToken(grant, server, record, record.refreshToken, api, scope)
    } catch (error) {
      if (!isNorthkeyError(error) || error.code !== 'authorization_server_error') throw error
    }
  }
  // The grant may have ended while the refresh was in flight, or while an earlier renewal ran.
  if (hasGrantEnded(grant.grantId)) throw noGrant()
  if (grant.subscriber !== 'identified') {
    throw interactionRequired(
      'the operator has not identified the subscriber of this grant, so only the user can renew it',
    )
  }
  requireAttempt(grant.grantId, record?.keyId)
  const keyId = crypto.randomUUID()
  const authorized = await authorizeSilently({
    server,
    origin: grant.origin,
    clientId: grant.clientId,
    apis: [{ ...api, scope }, ...grant.apis.filter((grantedApi) => grantedApi !== api)],
    keyId,
    idToken: true,
  }).catch(async (error) => {
    if (needsInteraction(error)) recordRefusal(grant.grantId, record?.keyId, error)
    await deleteKey(keyId)
    throw error
  })
  try {
    if (!(await isSameSubscriber(grant, authorized))) throw anotherSubscriber()
  } catch (error) {
    await revokeUnused(grant, keyId, authorized)
    throw error
  }
  const tokens = await markTokenUse(grant, api.resource, authorized.tokens)
  await saveTokens(grant, keyId, getTokenSlot(api, scope), { ...authorized, tokens })
  return toStoredToken(tokens, Date.now())
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
  if (!api) throw noGrant()
  const slot = getTokenSlot(api, scope ?? api.scope)
  const key = `${grant.grantId} ${slot}`
  const running = renewals.join(key)
  if (running) return awaitRenewal(running, grant, resource, requirements)
  const record = await readTokens(grant.grantId)
  const cached = record?.tokens[slot]
  const fits = cached && (scope === undefined || !exceedsScope(cached.scope, scope, grant.apis))
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
