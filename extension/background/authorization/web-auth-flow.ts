/**
 * Runs `identity.launchWebAuthFlow` without a window, and returns the redirect. Chromium runs a single one at a
 * time for the whole extension, so the operators take turns there; Firefox has no such limit. An operator that
 * does not answer keeps its turn for the time limit at most, and then has no turn during a back-off. An operator
 * that answers late has no turn for a multiple of that time, so that it cannot take the turns of the others by
 * answers just before the limit. A call that waits too long for its turn, or comes during such a pause, gets an
 * error at once that a window or a later call can cure.
 *
 * Border: metadata, PAR and token requests are in `silent-authorization.ts`, and wait for no other operator.
 */

import browser from 'webextension-polyfill'
import {
  FIRST_SILENT_PAUSE_MS,
  LONGEST_SILENT_PAUSE_MS,
  SILENT_AUTHORIZATION_TIMEOUT_MS,
  SILENT_TURN_TIMEOUT_MS,
  SLOW_SILENT_ATTEMPT_MS,
} from '../../limits.ts'
import { computeBackoffMs, randomFraction } from '../platform/backoff.ts'
import {
  type BrokerError,
  busyOperator,
  interactionRequired,
  timedOut,
  unreachable,
} from '../platform/broker-error.ts'
import { createTurnQueue } from '../platform/turn-queue.ts'
import { blockOutsideOfTabs } from './redirect-rules.ts'

/**
 * Chromium's error message without a response. Any other error means that the operator showed a page
 * for the user.
 */
const UNREACHABLE = /could not be loaded/
/** Chromium's error message while another one runs: an earlier worker began it, and was stopped. */
const OCCUPIED = /only one web auth flow/i

/** Extra time for the browser to end an attempt by itself, which frees it for the next attempt. */
const GRACE_MS = 1_000

/** An operator that answers late has no turn for its time times this: it has a fifth of the turns at most. */
const SLOW_PAUSE_FACTOR = 4

const BACKOFF = { firstMs: FIRST_SILENT_PAUSE_MS, longestMs: LONGEST_SILENT_PAUSE_MS }

const runInTurn = createTurnQueue({
  exclusive: __TARGET__ === 'chromium',
  maxWaitMs: SILENT_TURN_TIMEOUT_MS,
  createTimeoutError: () =>
    busyOperator('other authorizations without a window take too long; ask again later'),
})

interface Slowness {
  /** Number of attempts without an answer since the last quick answer. */
  timeouts: number
  /** End of the back-off, in milliseconds since the epoch. */
  untilMs: number
}

/** Operators that did not answer their last attempt, or answered it late, by issuer. */
const slowOperators = new Map<string, Slowness>()

function recordTimeout(issuer: string): void {
  const timeouts = (slowOperators.get(issuer)?.timeouts ?? 0) + 1
  const untilMs = Date.now() + computeBackoffMs(timeouts, BACKOFF, randomFraction())
  slowOperators.set(issuer, { timeouts, untilMs })
}

/** Records an attempt that ended by itself. Where the operators do not share the turns, a late answer harms nobody. */
function recordAnswer(issuer: string, durationMs: number): void {
  if (__TARGET__ !== 'chromium' || durationMs < SLOW_SILENT_ATTEMPT_MS) {
    slowOperators.delete(issuer)
    return
  }
  const timeouts = slowOperators.get(issuer)?.timeouts ?? 0
  slowOperators.set(issuer, { timeouts, untilMs: Date.now() + SLOW_PAUSE_FACTOR * durationMs })
}

function requireNoBackoff(issuer: string): void {
  if (Date.now() < (slowOperators.get(issuer)?.untilMs ?? 0)) {
    throw busyOperator('the operator did not answer in time a moment ago; ask again later')
  }
}

/** Firefox rejects the members that it does not know. */
const getOptions = (url: string) => ({
  url,
  interactive: false,
  ...(__TARGET__ === 'chromium' && {
    timeoutMsForNonInteractive: SILENT_AUTHORIZATION_TIMEOUT_MS,
  }),
})

function toBrokerError(error: unknown): BrokerError {
  const message = String(error)
  if (OCCUPIED.test(message)) return busyOperator('the browser is busy; ask again later')
  if (UNREACHABLE.test(message)) return unreachable()
  return interactionRequired('the operator has to ask the user something')
}

async function launch(issuer: string, url: string): Promise<string> {
  requireNoBackoff(issuer)
  const startedAtMs = performance.now()
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, SILENT_AUTHORIZATION_TIMEOUT_MS + GRACE_MS)
  })
  try {
    const redirect = await Promise.race([
      browser.identity.launchWebAuthFlow(getOptions(url)),
      limit,
    ])
    recordAnswer(issuer, performance.now() - startedAtMs)
    return redirect
  } catch (error) {
    const durationMs = performance.now() - startedAtMs
    if (durationMs >= SILENT_AUTHORIZATION_TIMEOUT_MS) {
      recordTimeout(issuer)
      throw timedOut('the operator did not answer an authorization without a window in time')
    }
    const brokerError = toBrokerError(error)
    const isAnswer = brokerError.data.error === 'interaction_required'
    if (isAnswer || durationMs >= SLOW_SILENT_ATTEMPT_MS) recordAnswer(issuer, durationMs)
    throw brokerError
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Loads an authorization URL without a window.
 *
 * @returns The redirect URI with its response.
 * @throws BrokerError `interaction_required` where the operator has to ask the user, or the browser has no
 * `launchWebAuthFlow`; `timeout`; `network_error` where the operator cannot be reached, or has no turn.
 */
export async function launchWithoutWindow(issuer: string, url: string): Promise<string> {
  // Firefox for Android has neither `identity` nor `launchWebAuthFlow`.
  const identity = browser.identity as typeof browser.identity | undefined
  if (!identity?.launchWebAuthFlow) {
    throw interactionRequired('the operator has to ask the user something')
  }
  requireNoBackoff(issuer)
  await blockOutsideOfTabs()
  return runInTurn(issuer, () => launch(issuer, url))
}
