/** At the start of a browser session: nothing of an earlier one is left over. */

import browser from 'webextension-polyfill'
import { flows } from './flows.ts'
import { sweepGrants } from './grants.ts'
import { tokenStore } from './tokens.ts'

export async function sweep(): Promise<void> {
  await browser.storage.local.setAccessLevel?.({ accessLevel: 'TRUSTED_CONTEXTS' })
  await flows.sweep()
  await tokenStore.sweep()
  for (const grantId of await sweepGrants()) await tokenStore.delete(grantId)
}
