/**
 * The sites on which pages find the broker. The user switches each one on by a click in the popup: the
 * browser asks for that site's permission, and only then are the two scripts registered, for that
 * origin alone. A development build has loopback from the start, by its manifest.
 *
 * The list lies in IndexedDB, out of reach of content scripts. What the browser says of permissions
 * counts more: a site whose permission is gone is no site any more.
 */

import { del, keys, set } from 'idb-keyval'
import browser from 'webextension-polyfill'
import { toHostPattern } from '../operators/host-permissions.ts'
import { memoize } from '../platform/memoize.ts'
import { isLoopbackOrigin, isSecureOrigin } from '../platform/secure-origin.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'
import { bumpStateVersion } from '../platform/state-version.ts'
import { openStore } from '../platform/stores.ts'
import {
  injectContentScripts,
  syncContentScripts,
  unregisterContentScripts,
} from './content-script-registration.ts'

const store = openStore('sites')

/** Origins that were switched on. */
export const getSiteOrigins = memoize(
  async (): Promise<ReadonlySet<string>> => new Set(await keys<string>(store)),
)

function invalidate(): void {
  getSiteOrigins.reset()
  bumpStateVersion()
}

/** Loopback, in a development build: the scripts are in its manifest. */
export function isAlwaysOn(origin: string): boolean {
  return __DEVELOPMENT__ && isLoopbackOrigin(origin)
}

/** Whether pages of this origin may ask. Every call of a page passes here. */
export async function isSiteOn(origin: string): Promise<boolean> {
  return isAlwaysOn(origin) || (await getSiteOrigins()).has(origin)
}

/** One change of the list and of the registered scripts at a time. */
const changes = createSerialQueue()

/** Makes the browser's list of scripts what the list of sites says. Changes nothing that is right. */
export const syncScripts = (): Promise<void> => changes(sync)

const sync = async (): Promise<void> => syncContentScripts(await getSiteOrigins())

/** After an update the files may have other names: everything is registered anew. */
export async function reregisterScripts(): Promise<void> {
  await changes(unregisterContentScripts)
  await syncScripts()
}

export function hasPermission(origin: string): Promise<boolean> {
  return browser.permissions.contains({ origins: [toHostPattern(origin)] })
}

/**
 * Switches a site on. The popup and the browser's word that the permission is there come at the same
 * time; the second one finds that the site is on.
 *
 * @returns Whether it was off before.
 * @throws Error where the browser has not been given the permission.
 */
export const addSite = (origin: string, tabId?: number): Promise<boolean> =>
  changes(() => add(origin, tabId))

async function add(origin: string, tabId?: number): Promise<boolean> {
  if (!isSecureOrigin(origin, false)) throw new Error('origin: expected an https origin')
  if (!(await hasPermission(origin))) throw new Error('origin: expected the permission for it')
  if ((await getSiteOrigins()).has(origin)) return false
  await set(origin, { since: Date.now() }, store)
  invalidate()
  await sync()
  // The tab may be gone or elsewhere by now; the site is on all the same.
  if (tabId !== undefined) await injectContentScripts(origin, tabId).catch(() => {})
  return true
}

/** @returns Whether it was on before. From here on no page of it is answered. */
export const removeSite = (origin: string): Promise<boolean> => changes(() => remove(origin))

async function remove(origin: string): Promise<boolean> {
  const was = (await getSiteOrigins()).has(origin)
  await del(origin, store)
  invalidate()
  await sync()
  return was
}
