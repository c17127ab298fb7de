/**
 * Refreshes the tokens of a grant.
 *
 * - A refresh token is marked as sent before it is sent. It is not sent again unless the server has refused it.
 * - A rotated refresh token is stored before any call gets the access token that came with it.
 * - Tokens of a response that must not be trusted are revoked, with all others of the grant.
 * - A token endpoint that is gone is looked up in new metadata, once.
 *
 * Border: `refresh-failure.ts` decides about failures, `token-renewal.ts` lets one refresh of a grant run at a time.
 *
 * @see RFC 6749 section 6, RFC 9700 section 4.14
 */

import {
  discover,
  isNorthkeyError,
  refreshTokens,
  type ServerMetadata,
  type TokenSet,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { type ApiAccess, ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { scopeWithin, scopeWords } from '../../../shared/oauth/scope.ts'
import { giveUpServer, isDefiniteRefusal } from '../clients/client-retry.ts'
import { getClientKey, isRefusedClient } from '../clients/clients.ts'
import { getKey } from '../clients/keys.ts'
import type { GrantRecord } from '../grants/grants.ts'
import { getTokenSlot, type StoredToken, supersede, toStoredToken } from '../grants/stored-token.ts'
import { discardTokens } from '../grants/token-endings.ts'
import { saveRecord } from '../grants/token-records.ts'
import type { TokenRecord } from '../grants/token-store.ts'
import { markTokenUse } from '../grants/token-use.ts'
import { forgetMetadata } from '../operators/metadata-cache.ts'
import { discoverServer } from '../operators/operator-discovery.ts'
import { getServerOrigins, namesRequestServers } from '../operators/operator-servers.ts'
import { BrokerError } from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { judgeRefreshFailure, type RefreshFailure } from './refresh-failure.ts'

type Refreshable = TokenRecord & { refreshToken: string }

/** A refresh: the new token, or the failure after which the grant may be renewed in another way. */
export type RefreshOutcome =
  | { token: StoredToken }
  | { failure: Extract<RefreshFailure, 'ended' | 'refused' | 'unusable'>; error: unknown }

const selectUnexpiredSlots = ({ tokens }: TokenRecord): TokenRecord['tokens'] =>
  Object.fromEntries(Object.entries(tokens).filter(([, token]) => token.expiresAtMs > Date.now()))

/**
 * Tells whether the key to which the refresh token is bound exists. The token is of no use without it.
 */
async function hasKey({ tokenType }: GrantRecord, { keyId }: TokenRecord): Promise<boolean> {
  return tokenType !== 'DPoP' || (await getKey(keyId)) !== undefined
}

/**
 * Tells whether there is a refresh token that may be sent, that covers the scope, whose ID token identified the
 * subscriber of the grant if that is identified, and whose server and client are still those of the grant.
 */
export async function isRefreshable(
  grant: GrantRecord,
  server: OperatorProfile,
  record: TokenRecord | undefined,
  scope: string,
): Promise<boolean> {
  if (record?.refreshToken === undefined || record.refreshSent) return false
  if (grant.subscriber === 'identified' && record.idTokenClaims === undefined) return false
  if (scopeWithin(scope, record.scope) !== scopeWords(scope).join(' ')) return false
  if (!namesRequestServers(server, record.metadata)) return false
  if (await isRefusedClient(server, grant.origin, grant.clientId)) return false
  return hasKey(grant, record)
}

/**
 * Makes sure that there is a network, where the browser says that there is none: its flag is no proof. A request for
 * the metadata costs nothing if its answer is lost; a refresh token may.
 *
 * @throws NorthkeyError `network_error` or `timeout` if the server cannot be reached.
 */
async function requireNetwork(server: OperatorProfile): Promise<void> {
  if (navigator.onLine) return
  try {
    await discover(server, createEffects(getServerOrigins(server)))
  } catch (error) {
    const isUnreachable =
      isNorthkeyError(error) && ['network_error', 'timeout'].includes(error.code)
    if (isUnreachable && error.httpStatus === undefined) throw error
  }
}

/** New metadata of a server whose token endpoint is gone, if they name another one. */
async function findMovedEndpoint(
  server: OperatorProfile,
  { metadata }: TokenRecord,
): Promise<ServerMetadata | undefined> {
  await forgetMetadata(server.issuer)
  const current = await discoverServer(server).catch(() => undefined)
  return current?.token_endpoint === metadata.token_endpoint ? undefined : current
}

/** Stores what a failed refresh leaves. @returns The failure, if the grant may be renewed in another way. */
async function settleFailure(
  grant: GrantRecord,
  server: OperatorProfile,
  record: Refreshable,
  error: unknown,
  rejected: TokenSet | undefined,
): Promise<Extract<RefreshFailure, 'ended' | 'refused' | 'unusable'>> {
  const failure = rejected ? 'unusable' : judgeRefreshFailure(error)
  const { refreshToken: _, ...rest } = record
  if (rejected) await discardTokens(grant, record, rejected)
  else if (failure === 'ended') await saveRecord(grant, { ...rest, tokens: {} })
  else if (failure === 'refused' || failure === 'unavailable') await saveRecord(grant, record)
  else await saveRecord(grant, rest)
  if (isDefiniteRefusal(error)) {
    const { clientId } = grant
    await giveUpServer(server, grant.origin, { clientId, metadata: record.metadata }, error)
  }
  switch (failure) {
    case 'ended':
    case 'refused':
    case 'unusable':
      return failure
    case 'unanswered':
      // The refresh token is lost, so that a window is the only way on from a click.
      throw new BrokerError(
        ERROR_CODE.unreachable,
        'network_error',
        'the answer to the refresh of the tokens was lost',
      )
    default:
      throw error
  }
}

/**
 * Sends the refresh token of a record for which {@link isRefreshable} holds.
 *
 * @throws BrokerError or NorthkeyError where another way of renewal would fail too.
 */
export async function refreshAccessToken(
  grant: GrantRecord,
  server: OperatorProfile,
  record: TokenRecord,
  api: ApiAccess,
  scope: string,
): Promise<RefreshOutcome> {
  const { refreshToken = '' } = record
  await requireNetwork(server)
  await saveRecord(grant, { ...record, refreshSent: true })
  let rejected: TokenSet | undefined
  const send = async ({ metadata, keyId, idTokenClaims }: TokenRecord) =>
    refreshTokens(
      {
        server,
        metadata,
        clientId: grant.clientId,
        refreshToken,
        grantedScope: record.scope,
        resource: record.isResourceBound ? api.resource : undefined,
        scope,
        apis: grant.apis,
        idTokenClaims,
        onTokensRejected: (tokens) => {
          rejected = tokens
        },
        dpop: await getKey(keyId),
        clientKey: await getClientKey(server, grant.origin),
      },
      createEffects(getServerOrigins(server)),
    )
  let current = record
  let set: TokenSet
  try {
    set = await send(record).catch(async (error) => {
      const isRefused = judgeRefreshFailure(error) === 'refused' && isDefiniteRefusal(error)
      const metadata = isRefused ? await findMovedEndpoint(server, record) : undefined
      if (!metadata) throw error
      current = { ...record, metadata }
      return send(current)
    })
  } catch (error) {
    const failure = await settleFailure(
      grant,
      server,
      { ...current, refreshToken },
      error,
      rejected,
    )
    return { failure, error }
  }
  const token = toStoredToken(await markTokenUse(grant, api.resource, set), Date.now())
  const slot = getTokenSlot(api, scope)
  const former = record.tokens[slot]
  await saveRecord(grant, {
    ...current,
    superseded: supersede(record, former ? [former] : [], Date.now()),
    tokens: { ...selectUnexpiredSlots(record), [slot]: token },
    refreshToken: set.refreshToken ?? refreshToken,
  })
  return { token }
}
