/**
 * Revocations that the server has to hear of. Each is on the disk, sealed, before it is sent, and stays
 * there until the server has answered or the browser session ends.
 *
 * @see RFC 7009 section 2.2.1
 */

import {
  isNorthkeyError,
  type NorthkeyErrorCode,
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
import { findOperator } from '../operators/operators.ts'
import { createEffects } from '../platform/effects.ts'
import { wakeAt } from '../platform/housekeeping-alarm.ts'
import { log } from '../platform/log.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'

interface Revocation {
  id: string
  /** As it was when the token was taken back: the user may have removed the operator since. */
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

/** Nothing that the server has said about the token. Asked again, it may. */
const TRANSIENT: readonly NorthkeyErrorCode[] = [
  'network_error',
  'timeout',
  'rate_limited',
  'invalid_response',
]

const store = openSealedStore<Revocation>('revocations')

async function send(revocation: Revocation): Promise<void> {
  const { origin, clientId, metadata, token, tokenTypeHint } = revocation
  const server = (await findOperator(revocation.server.issuer)) ?? revocation.server
  const clientKey = await getClientKey(server, origin)
  await revokeToken(
    { server, metadata, clientId, token, tokenTypeHint, clientKey },
    createEffects(),
  )
}

/** @returns Whether there is no more to do: the server knows, or says that it does not want to. */
async function attempt(revocation: Revocation): Promise<boolean> {
  try {
    await send(revocation)
  } catch (error) {
    const known = isNorthkeyError(error) ? error : undefined
    if (known && TRANSIENT.includes(known.code) && revocation.attempts < MOST_ATTEMPTS) {
      await scheduleRetry(revocation, known.retryAfterSeconds)
      return false
    }
    const why = known?.error ?? known?.code ?? 'internal_error'
    log.record('revocation', `the operator was not told: ${why}`, subjectOf(revocation))
  }
  await store.delete(revocation.id)
  return true
}

const subjectOf = ({ origin, server: { issuer } }: Revocation) => ({ origin, issuer })

async function scheduleRetry(revocation: Revocation, retryAfterSeconds = 0): Promise<void> {
  const { id, attempts } = revocation
  const pause = Math.min(LONGEST_REVOCATION_PAUSE_MS, FIRST_REVOCATION_PAUSE_MS * 2 ** attempts)
  const asked = Math.min(LONGEST_RETRY_AFTER_MS, retryAfterSeconds * 1_000)
  const dueAtMs = Date.now() + Math.max(pause, asked)
  await store.set(id, { ...revocation, attempts: attempts + 1, dueAtMs })
  await wakeAt(dueAtMs)
}

/** Whose tokens they are, as their server knows it. */
export interface TokenOwner {
  issuer: string
  origin: string
  clientId: string
}

interface TokensToRevoke {
  metadata: ServerMetadata
  /** Ends the access tokens with it. */
  refreshToken?: string
  accessTokens: string[]
}

/** Tells the server now, and again later where that fails. @returns Whether the server knows. */
export async function revokeTokens(
  { issuer, origin, clientId }: TokenOwner,
  { metadata, refreshToken, accessTokens }: TokensToRevoke,
): Promise<boolean> {
  const server = await findOperator(issuer)
  if (!server) {
    log.record('revocation', 'the operator was not told: it is not known any more', {
      origin,
      issuer,
    })
    return true
  }
  const tokens = refreshToken === undefined ? accessTokens : [refreshToken]
  const tokenTypeHint = refreshToken === undefined ? 'access_token' : 'refresh_token'
  const outcomes = await Promise.all(
    tokens.map(async (token) => {
      const what = { server, origin, clientId, metadata, token, tokenTypeHint } as const
      // Should the worker stop on the way, the alarm takes it up.
      const dueAtMs = Date.now() + 2 * FIRST_REVOCATION_PAUSE_MS
      const revocation = { ...what, id: crypto.randomUUID(), attempts: 0, dueAtMs }
      // A disk that is full does not keep the server from hearing it now.
      await store.set(revocation.id, revocation).catch(() => {})
      await wakeAt(dueAtMs)
      return attempt(revocation)
    }),
  )
  return outcomes.every(Boolean)
}

/** Sends what is due, and says when to wake up for the rest. */
export async function sendDueRevocations(): Promise<void> {
  for (const revocation of await store.all()) {
    if (revocation.dueAtMs <= Date.now()) await attempt(revocation)
    else await wakeAt(revocation.dueAtMs)
  }
}

export const sweepRevocations = (): Promise<void> => store.sweep()
