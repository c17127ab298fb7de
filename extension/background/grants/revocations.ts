/**
 * Sends token revocations to the authorization server, and retries them with exponential back-off. A
 * revocation is stored, sealed, before it is sent. The record stays until the server has answered or the
 * browser session ends, so a stopped worker loses no revocation.
 *
 * @see RFC 7009 section 2.2.1
 */

import {
  isNorthkeyError,
  type NorthkeyErrorCode,
  type NorthkeyErrorObject,
  revokeToken,
  type ServerMetadata,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import {
  FIRST_REVOCATION_PAUSE_MS,
  LONGEST_RETRY_AFTER_MS,
  LONGEST_REVOCATION_PAUSE_MS,
} from '../../limits.ts'
import { getClientKey } from '../clients/clients.ts'
import { listHostPermissions } from '../operators/host-permissions.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { findOperator } from '../operators/operators.ts'
import { createEffects } from '../platform/effects.ts'
import { toHostPattern } from '../platform/host-pattern.ts'
import { wakeAt } from '../platform/housekeeping-alarm.ts'
import { log } from '../platform/log.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'
import { createKeyedSerialQueue } from '../platform/serial-queue.ts'

interface Revocation {
  id: string
  /** Profile at the time of the revocation: the user may have removed the operator since. */
  server: OperatorProfile
  origin: string
  clientId: string
  metadata: ServerMetadata
  token: string
  tokenTypeHint: 'access_token' | 'refresh_token'
  attempts: number
  dueAtMs: number
}

const MOST_ATTEMPTS = 20

/** Errors that contain no decision of the server about the token. A retry may succeed. No client error is one but 408 and 429. */
const TRANSIENT: readonly NorthkeyErrorCode[] = [
  'network_error',
  'timeout',
  'rate_limited',
  'invalid_response',
]

const store = openSealedStore<Revocation>('revocations')

async function sendRevocation(revocation: Revocation): Promise<void> {
  const { origin, clientId, metadata, token, tokenTypeHint } = revocation
  const server = (await findOperator(revocation.server.issuer)) ?? revocation.server
  const clientKey = await getClientKey(server, origin)
  await revokeToken(
    { server, metadata, clientId, token, tokenTypeHint, clientKey },
    createEffects(getServerOrigins(server)),
  )
}

/** @returns Whether the revocation is finished: the server accepted it, or rejected it for good. */
async function attemptRevocation(revocation: Revocation): Promise<boolean> {
  try {
    await sendRevocation(revocation)
  } catch (error) {
    const failure = isNorthkeyError(error) ? error : undefined
    if (failure && TRANSIENT.includes(failure.code) && revocation.attempts < MOST_ATTEMPTS) {
      await scheduleRetry(revocation, failure.retryAfterSeconds)
      return false
    }
    const reason = describeFailure(failure)
    log.record('revocation', `the operator was not told: ${reason}`, {
      ...getLogSubject(revocation),
      detail: failure?.message,
    })
  }
  await store.delete(revocation.id)
  return true
}

/** The server's word, or else the status of its answer, or else the broker's word. */
function describeFailure(failure: NorthkeyErrorObject | undefined): string {
  const { error, httpStatus, code = 'internal_error' } = failure ?? {}
  return error ?? (httpStatus === undefined ? code : `status ${httpStatus}`)
}

const getLogSubject = ({ origin, server: { issuer } }: Revocation) => ({ origin, issuer })

async function scheduleRetry(revocation: Revocation, retryAfterSeconds = 0): Promise<void> {
  const { id, attempts } = revocation
  const pause = Math.min(LONGEST_REVOCATION_PAUSE_MS, FIRST_REVOCATION_PAUSE_MS * 2 ** attempts)
  const retryAfterMs = Math.min(LONGEST_RETRY_AFTER_MS, retryAfterSeconds * 1_000)
  const dueAtMs = Date.now() + Math.max(pause, retryAfterMs)
  await store.set(id, { ...revocation, attempts: attempts + 1, dueAtMs })
  await wakeAt(dueAtMs)
}

/** Client and authorization server that tokens were issued to and by. */
export interface TokenOwner {
  issuer: string
  origin: string
  clientId: string
}

interface TokensToRevoke {
  metadata: ServerMetadata
  /** Its revocation ends the access tokens too (RFC 7009 section 2.1). */
  refreshToken?: string
  accessTokens: string[]
  /** Access tokens of earlier authorizations, which the revocation of the refresh token does not end. */
  replaced?: string[]
}

/**
 * Revokes tokens at the server now, and schedules a retry where that fails.
 *
 * @returns Whether the server has received all revocations. A removed operator counts as informed.
 */
export async function revokeTokens(
  { issuer, origin, clientId }: TokenOwner,
  { metadata, refreshToken, accessTokens, replaced = [] }: TokensToRevoke,
): Promise<boolean> {
  const server = await findOperator(issuer)
  if (!server) {
    log.record('revocation', 'the operator was not told: it is not known any more', {
      origin,
      issuer,
    })
    return true
  }
  const toHinted = (tokenTypeHint: Revocation['tokenTypeHint'], tokens: string[]) =>
    tokens.map((token) => ({ token, tokenTypeHint }))
  const tokens = [
    ...(refreshToken === undefined
      ? toHinted('access_token', accessTokens)
      : toHinted('refresh_token', [refreshToken])),
    ...toHinted('access_token', replaced),
  ]
  const outcomes = await Promise.all(
    tokens.map(async ({ token, tokenTypeHint }) => {
      const request = { server, origin, clientId, metadata, token, tokenTypeHint } as const
      // If the worker stops before the answer, the alarm starts the retry.
      const dueAtMs = Date.now() + 2 * FIRST_REVOCATION_PAUSE_MS
      const revocation = { ...request, id: crypto.randomUUID(), attempts: 0, dueAtMs }
      // A full disk must not prevent the revocation itself.
      await store.set(revocation.id, revocation).catch(() => {})
      await wakeAt(dueAtMs)
      return attemptRevocation(revocation)
    }),
  )
  return outcomes.every(Boolean)
}

/** A server gets one due revocation at a time, and waits for no other server. */
const runInIssuerQueue = createKeyedSerialQueue()

/** Sends the revocations that are due, and sets the alarm for the others. */
export async function sendDueRevocations(): Promise<void> {
  const attempts = (await store.all()).map(async (revocation) => {
    if (revocation.dueAtMs > Date.now()) return wakeAt(revocation.dueAtMs)
    await runInIssuerQueue(revocation.server.issuer, () => attemptRevocation(revocation))
  })
  await Promise.all(attempts)
}

/** Match patterns of the hosts to which a revocation is still to be sent. */
export async function listRevocationPermissions(): Promise<string[]> {
  const revocations = await store.all()
  return revocations.flatMap(({ server, metadata: { revocation_endpoint: endpoint } }) => [
    ...listHostPermissions(server),
    ...(endpoint ? [toHostPattern(endpoint)] : []),
  ])
}

export const sweepRevocations = (): Promise<void> => store.sweep()
