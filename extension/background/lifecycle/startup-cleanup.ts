/** Nothing of an earlier browser session is left over, and nothing that is due is forgotten. */

import browser from 'webextension-polyfill'
import { settleOverdueFlows } from '../authorization/authorization-flow.ts'
import { listenForRevocations, sweepChannels } from '../authorization/capif-revocation-channel.ts'
import { flows } from '../authorization/flow-records.ts'
import { sweepRegistrations } from '../clients/clients.ts'
import { sweepKeys } from '../clients/keys.ts'
import { sendGrantsChanged } from '../grants/grant-events.ts'
import { sweepGrants } from '../grants/grants.ts'
import { endWithdrawnGrants } from '../grants/offered-apis.ts'
import { sendDueRevocations, sweepRevocations } from '../grants/revocations.ts'
import { sweepTokens } from '../grants/token-records.ts'
import { log } from '../platform/log.ts'
import { memoize } from '../platform/memoize.ts'

/** Chromium lets content scripts read `storage.local` unless told not to; Firefox has no such switch. */
async function closeToContentScripts(): Promise<void> {
  const local = browser.storage.local as typeof browser.storage.local & {
    setAccessLevel?(options: { accessLevel: string }): Promise<void>
  }
  await local.setAccessLevel?.({ accessLevel: 'TRUSTED_CONTEXTS' })
}

/** In `storage.session`: it goes when the browser ends, or the extension is updated or switched off. */
const SWEPT = 'swept'

/**
 * Once in each such life, whichever event wakes the first worker of it: an extension that was switched
 * off and on again hears of neither a start nor an update.
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

/** Whenever the alarm rings. */
export async function runHousekeeping(): Promise<void> {
  await settleOverdueFlows()
  await endExpiredGrants()
  await endWithdrawnGrants()
  await sendDueRevocations()
  await listenForRevocations()
}

/** Grants whose time is over: the pages hear it, the log has it, and the servers are told. */
async function endExpiredGrants(): Promise<void> {
  const over = await sweepGrants()
  for (const grant of over) log.record('revocation', 'expired', grant)
  await Promise.allSettled([...new Set(over.map(({ origin }) => origin))].map(sendGrantsChanged))
  await sweepTokens(over)
}
