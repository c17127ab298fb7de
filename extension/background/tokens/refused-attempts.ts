/**
 * Pauses the authorizations without a window of a grant for which the operator wants the user: after some of them in a
 * row the page gets the same error without a further attempt. Otherwise a page that polls would keep the operator,
 * and the browser's turn for such attempts, busy. A new authorization, which the user may give in a window, ends the
 * pause.
 *
 * Border: `authorization/web-auth-flow.ts` pauses an operator that does not answer.
 */

import { computeBackoffMs, randomFraction } from '../platform/backoff.ts'

/** Refusals in a row that cause no pause. */
const FREE_ATTEMPTS = 5
const BACKOFF = { firstMs: 1_000, longestMs: 60_000 }
/** Grants that are remembered. The entries of grants that have ended are dropped with the others. */
const MAX_GRANTS = 1_000

interface Refusal {
  error: unknown
  count: number
  /** Key of the authorization that the attempt was to renew. */
  keyId: string | undefined
  /** On the monotonic clock. */
  untilMs: number
}

const refusals = new Map<string, Refusal>()

/** @throws The error of the last attempt during a pause. */
export function requireAttempt(grantId: string, keyId: string | undefined): void {
  const refusal = refusals.get(grantId)
  if (refusal && refusal.keyId === keyId && performance.now() < refusal.untilMs) throw refusal.error
}

/** Records that the operator wants the user. */
export function recordRefusal(grantId: string, keyId: string | undefined, error: unknown): void {
  const former = refusals.get(grantId)
  const count = former?.keyId === keyId ? (former?.count ?? 0) + 1 : 1
  const failures = Math.max(0, count - FREE_ATTEMPTS)
  const pauseMs = computeBackoffMs(failures, BACKOFF, randomFraction())
  if (refusals.size >= MAX_GRANTS) refusals.clear()
  refusals.set(grantId, { error, count, keyId, untilMs: performance.now() + pauseMs })
}
