/**
 * Binds the use of a grant (a call of an API, a token for the page, a proof) to the life of the grant. The
 * use has a signal that is aborted when the grant ends: by the user, the page or the network, by its expiry,
 * or because the operator was removed or does not offer the API any more. The grant is judged once more
 * before the result is handed over.
 *
 * A renewal of tokens that has been sent is not aborted: its response may contain tokens that have to be
 * revoked. The use ends without waiting for it.
 *
 * Border: a site that is switched off ends its calls in `page/page-router.ts`.
 */

import { NorthkeyError } from '../../../shared/core/index.ts'
import type { Grant } from '../../../shared/messages/page-api.ts'
import { FLOW_LIFETIME_MS } from '../../limits.ts'
import { onOperatorsChanged } from '../operators/operators.ts'
import { BrokerError, grantEnded, noGrant } from '../platform/broker-error.ts'
import { findCurrentGrantId, hasGrantEnded, onGrantEnd } from './ended-grants.ts'
import { coversScope, type GrantRecord, getGrant, toPublicGrant } from './grants.ts'
import { listOfferedApis } from './offered-apis.ts'

/** The part of a grant that is used. */
export interface UsedAccess {
  resource: string
  /** Scope that the grant has to contain. Without it, any scope of the resource is enough. */
  scope?: string
}

interface GrantUse {
  grant: GrantRecord
  access: UsedAccess
  /** Aborted, with the error for the page, when the grant ends. */
  controller: AbortController
}

const uses = new Set<GrantUse>()

/** Longer than any use: a call that waits for the user, and the requests after it. */
const LONGEST_USE_MS = 2 * FLOW_LIFETIME_MS

/** @throws BrokerError `no_grant` if the grant does not allow this access any more. */
async function requireUsable({ grant, access, controller }: GrantUse): Promise<GrantRecord> {
  const current = await getGrant(grant.origin, findCurrentGrantId(grant.grantId))
  const offered = await listOfferedApis(current)
  const isAllowed = offered.some(
    ({ resource, scope }) =>
      resource === access.resource &&
      (access.scope === undefined || coversScope(scope, access.scope)),
  )
  if (!isAllowed) throw noGrant('the operator profile does not offer this any more')
  controller.signal.throwIfAborted()
  return current
}

/** Judges a use in flight, and aborts it if the grant does not allow it any more. */
async function judgeUse(use: GrantUse): Promise<GrantRecord | undefined> {
  try {
    return await requireUsable(use)
  } catch (error) {
    use.controller.abort(error instanceof BrokerError ? error : grantEnded())
    return undefined
  }
}

onGrantEnd((grantId) => {
  for (const { grant, controller } of uses) {
    if (findCurrentGrantId(grant.grantId) === grantId) controller.abort(grantEnded())
  }
})

onOperatorsChanged(() => {
  for (const use of uses) void judgeUse(use)
})

/** Judges the use when its grant expires: the grant may have been extended. @returns Stops the timer. */
function watchExpiry(use: GrantUse): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  function start({ expiresAt }: GrantRecord): void {
    const remainingMs = Math.max(expiresAt - Date.now(), 0)
    if (remainingMs > LONGEST_USE_MS) return
    timer = setTimeout(async () => {
      const current = await judgeUse(use)
      if (current && uses.has(use)) start(current)
    }, remainingMs)
  }
  start(use.grant)
  return () => clearTimeout(timer)
}

/** The error of a call whose signal was aborted: the broker's own reason, or the caller's abort. */
export function toAbortError({ reason }: AbortSignal): Error {
  return reason instanceof BrokerError ? reason : new NorthkeyError('aborted', 'the caller gave up')
}

/**
 * Runs a task that uses a grant, as long as the grant allows it. The result does not wait for a task that
 * ignores its signal.
 *
 * @param caller Aborted when the call is.
 * @param task Its signal is aborted with the call, and when the grant ends.
 * @throws BrokerError `no_grant` when the grant has ended; the error of an aborted call; errors of the task.
 */
export async function runWithGrant<T>(
  grant: GrantRecord,
  access: UsedAccess,
  caller: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const { signal } = controller
  const use: GrantUse = { grant, access, controller }
  const giveUp = () => controller.abort(caller.reason)
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  async function runJudged(): Promise<T> {
    const result = await task(signal)
    await requireUsable(use)
    return result
  }
  uses.add(use)
  caller.addEventListener('abort', giveUp)
  const stopTimer = watchExpiry(use)
  try {
    if (hasGrantEnded(findCurrentGrantId(grant.grantId))) throw grantEnded()
    if (caller.aborted) throw toAbortError(caller)
    return await Promise.race([runJudged(), aborted])
  } catch (error) {
    throw signal.aborted ? toAbortError(signal) : error
  } finally {
    uses.delete(use)
    caller.removeEventListener('abort', giveUp)
    stopTimer()
  }
}

/**
 * Judges a grant that is about to be handed to the page.
 *
 * @throws BrokerError `no_grant` when it has ended in the meantime.
 */
export async function requireCurrentGrant(
  origin: string,
  { grantId }: Pick<Grant, 'grantId'>,
): Promise<Grant> {
  return toPublicGrant(await getGrant(origin, findCurrentGrantId(grantId)))
}
