/** At the start of a browser session: nothing of an earlier one is left over. */

import browser from 'webextension-polyfill'
import { flows } from './flows.ts'
import { sweepGrants } from './grants.ts'
import { tokenStore } from './tokens.ts'

/** Chromium lets content scripts read `storage.local` unless told not to; Firefox has no such switch. */
async function closeToContentScripts(): Promise<void> {
  const local = browser.storage.local as typeof browser.storage.local & {
    setAccessLevel?(options: { accessLevel: string }): Promise<void>
  }
  await local.setAccessLevel?.({ accessLevel: 'TRUSTED_CONTEXTS' })
}

export async function sweep(): Promise<void> {
  await closeToContentScripts()
  await flows.sweep()
  await tokenStore.sweep()
  for (const { grantId } of await sweepGrants()) await tokenStore.delete(grantId)
}
