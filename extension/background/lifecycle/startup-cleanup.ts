/**
 * Cleans up after an earlier browser session, and does what is due (housekeeping). Records that were
 * sealed with the key of an earlier session cannot be opened any more: they are swept once a session,
 * by the first worker. Housekeeping runs then, whenever the alarm fires, and when managed policy
 * changes.
 */

import browser from 'webextension-polyfill'
import { cancelPendingFlows, settleOverdueFlows } from '../authorization/authorization-flow.ts'
import { listenForRevocations, sweepChannels } from '../authorization/capif-revocation-channel.ts'
import { flows } from '../authorization/flow-records.ts'
import { blockFromOperators } from '../authorization/redirect-rules.ts'
import { sweepRegistrations } from '../clients/clients.ts'
import { sweepKeys } from '../clients/keys.ts'
import { sendGrantExpired, sendGrantsChanged } from '../grants/grant-events.ts'
import { sweepGrants } from '../grants/grants.ts'
import { endWithdrawnGrants } from '../grants/offered-apis.ts'
import { sendDueRevocations, sweepRevocations } from '../grants/revocations.ts'
import { sweepTokens } from '../grants/token-endings.ts'
import { listReadableOperators } from '../operators/operators.ts'
import { log } from '../platform/log.ts'
import { memoize } from '../platform/memoize.ts'
import { removeUnneededPermissions } from './unneeded-permissions.ts'

/**
 * Closes `storage.local` to content scripts, which may read it in Chromium by default. Firefox has no
 * such switch.
 */
async function closeToContentScripts(): Promise<void> {
  const local = browser.storage.local as typeof browser.storage.local & {
    setAccessLevel?(options: { accessLevel: string }): Promise<void>
  }
  await local.setAccessLevel?.({ accessLevel: 'TRUSTED_CONTEXTS' })
}

/**
 * A key of `storage.session`, which is cleared when the browser ends, or the extension is updated or
 * switched off.
 */
const SWEPT = 'swept'

/**
 * Cleans up once in each lifetime of `storage.session`, in the first worker, whichever event woke it.
 * The events of start and installation are not enough: an extension that is switched off and on again
 * gets neither.
 */
export const cleanUpOnce = memoize(async () => {
  if ((await browser.storage.session.get(SWEPT))[SWEPT]) return
  await cleanUp()
  await browser.storage.session.set({ [SWEPT]: true })
})

async function cleanUp(): Promise<void> {
  await closeToContentScripts()
  await Promise.all([
    flows.sweep(),
    sweepRegistrations(),
    sweepRevocations(),
    sweepKeys(),
    sweepChannels(),
  ])
  await runHousekeeping()
}

/**
 * Does what is due: rules of the present operators, flows and grants of what the operators no longer offer, overdue
 * flows, expired grants, revocations, revocation channels. None of them waits for another: each sends requests, and
 * an operator may hang. Host permissions come last, when it is known what needs them.
 */
export async function runHousekeeping(): Promise<void> {
  await Promise.all([
    blockFromOperators(),
    settleOverdueFlows(),
    cancelFlowsWithoutOperator(),
    endExpiredGrants(),
    endWithdrawnGrants(),
    sendDueRevocations(),
    listenForRevocations(),
  ])
  await removeUnneededPermissions()
}

/** Cancels the flows whose operator the policy no longer names. */
async function cancelFlowsWithoutOperator(): Promise<void> {
  const operators = await listReadableOperators().catch(() => undefined)
  if (!operators) return
  const issuers = new Set(operators.map(({ issuer }) => issuer))
  await cancelPendingFlows(({ request }) => !issuers.has(request.issuer))
}

/**
 * Ends the grants that have expired: logs them, sends the events to their pages, and revokes their
 * tokens.
 */
async function endExpiredGrants(): Promise<void> {
  const expired = await sweepGrants()
  for (const grant of expired) log.record('revocation', 'expired', grant)
  await Promise.allSettled(
    expired.map(({ origin, grantId }) => sendGrantExpired(origin, { grantId })),
  )
  await Promise.allSettled([...new Set(expired.map(({ origin }) => origin))].map(sendGrantsChanged))
  await sweepTokens(expired)
}
