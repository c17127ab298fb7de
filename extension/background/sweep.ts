/** Nothing of an earlier browser session is left over, and nothing that is due is forgotten. */

import browser from 'webextension-polyfill'
import { settleOverdue } from './authorization.ts'
import { sweepRegistrations } from './clients.ts'
import { announceGrants } from './events.ts'
import { flows } from './flows.ts'
import { sweepGrants } from './grants.ts'
import { sweepKeys } from './keys.ts'
import { log } from './log.ts'
import { listen, sweepChannels } from './notifications.ts'
import { endWithdrawn } from './offered-apis.ts'
import { readOnce } from './read-once.ts'
import { revokeDue, sweepRevocations } from './revocations.ts'
import { sweepTokens } from './token-records.ts'

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
export const sweepOnce = readOnce(async () => {
  if ((await browser.storage.session.get(SWEPT))[SWEPT]) return
  await sweep()
  await browser.storage.session.set({ [SWEPT]: true })
})

async function sweep(): Promise<void> {
  await closeToContentScripts()
  await Promise.all([
    flows.sweep(),
    sweepRegistrations(),
    sweepRevocations(),
    sweepKeys(),
    sweepChannels(),
  ])
  await housekeeping()
}

/** Whenever the alarm rings. */
export async function housekeeping(): Promise<void> {
  await settleOverdue()
  await endExpired()
  await endWithdrawn()
  await revokeDue()
  await listen()
}

/** Grants whose time is over: the pages hear it, the log has it, and the servers are told. */
async function endExpired(): Promise<void> {
  const over = await sweepGrants()
  for (const grant of over) log.record('revocation', 'expired', grant)
  await Promise.allSettled([...new Set(over.map(({ origin }) => origin))].map(announceGrants))
  await sweepTokens(over)
}
