/**
 * Revocations that the server has to hear of. Each is on the disk, sealed, before it is sent, and stays
 * there until the server has answered or the browser session ends.
 *
 * @see RFC 7009 section 2.2.1
 */

import { isNorthkeyError, revokeToken, type ServerMetadata } from '../../shared/core/index.ts'
import { clientKeyOf } from './clients.ts'
import { effects } from './effects.ts'
import { wakeAt } from './housekeeping-alarm.ts'
import { findOperator } from './operators.ts'
import { createSealedStore } from './sealed-store.ts'
import { sealingKey } from './sealing-key.ts'

interface Revocation {
  id: string
  issuer: string
  origin: string
  clientId: string
  metadata: ServerMetadata
  token: string
  tokenTypeHint: 'access_token' | 'refresh_token'
  attempts: number
  dueAtMs: number
}

const FIRST_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 3_600_000
const MOST_ATTEMPTS = 20

const store = createSealedStore<Revocation>('revocations', sealingKey)

/** @returns Whether the server knows, or will never want to. */
async function attempt(revocation: Revocation): Promise<boolean> {
  const { id, issuer, origin, clientId, metadata, token, tokenTypeHint, attempts } = revocation
  const server = await findOperator(issuer)
  try {
    if (server) {
      const clientKey = await clientKeyOf(server, origin)
      await revokeToken({ server, metadata, clientId, token, tokenTypeHint, clientKey }, effects())
    }
    await store.delete(id)
    return true
  } catch (error) {
    const again = isNorthkeyError(error) && ['network_error', 'timeout'].includes(error.code)
    if (!again || attempts >= MOST_ATTEMPTS) {
      await store.delete(id)
      return true
    }
    const asked = (error.retryAfterSeconds ?? 0) * 1_000
    const pause = Math.min(LONGEST_PAUSE_MS, Math.max(asked, FIRST_PAUSE_MS * 2 ** attempts))
    const dueAtMs = Date.now() + pause
    await store.set(id, { ...revocation, attempts: attempts + 1, dueAtMs })
    await wakeAt(dueAtMs)
    return false
  }
}

/** Whose tokens they are, as their server knows it. */
export type TokenOwner = Pick<Revocation, 'issuer' | 'origin' | 'clientId'>

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
  const tokens = refreshToken === undefined ? accessTokens : [refreshToken]
  const tokenTypeHint = refreshToken === undefined ? 'access_token' : 'refresh_token'
  const told = await Promise.all(
    tokens.map(async (token) => {
      const what = { issuer, origin, clientId, metadata, token, tokenTypeHint } as const
      const revocation = { ...what, id: crypto.randomUUID(), attempts: 0, dueAtMs: Date.now() }
      // A disk that is full does not keep the server from hearing it now.
      await store.set(revocation.id, revocation).catch(() => {})
      return attempt(revocation)
    }),
  )
  return told.every(Boolean)
}

/** Sends what is due, and says when to wake up for the rest. */
export async function revokeDue(): Promise<void> {
  for (const revocation of await store.all()) {
    if (revocation.dueAtMs <= Date.now()) await attempt(revocation)
    else await wakeAt(revocation.dueAtMs)
  }
}

export const sweepRevocations = (): Promise<void> => store.sweep()
