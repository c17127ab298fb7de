/**
 * Stores the list of sites whose pages can find the broker. The user switches a site on by a click in the
 * popup. The browser then asks for the host permission, and only after that are the two content scripts
 * registered, for that origin alone. In a development build loopback is always on, by the manifest.
 *
 * The list is in IndexedDB, which content scripts cannot reach. The browser's permissions take precedence:
 * a site whose permission was withdrawn is removed from the list (`lifecycle/site-changes.ts`).
 */

import { del, keys, set } from 'idb-keyval'
import browser from 'webextension-polyfill'
import { toHostPattern } from '../platform/host-pattern.ts'
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

/** Returns the origins that the user switched on. */
export const getSiteOrigins = memoize(
  async (): Promise<ReadonlySet<string>> => new Set(await keys<string>(store)),
)

function invalidateCache(): void {
  getSiteOrigins.reset()
  bumpStateVersion()
}

/**
 * Tells whether an origin needs no switch: loopback in a development build, whose manifest has the scripts.
 */
export function isAlwaysOn(origin: string): boolean {
  return __DEVELOPMENT__ && isLoopbackOrigin(origin)
}

/** Tells whether pages of this origin may call the broker. Checked for every call of a page. */
export async function isSiteOn(origin: string): Promise<boolean> {
  return isAlwaysOn(origin) || (await getSiteOrigins()).has(origin)
}

/**
 * Tells whether pages of an origin may be switched on: https, and a host that is one host. A browser accepts `*` in
 * the name of a host, where a match pattern of it would mean other hosts too.
 */
export function isFitSite(origin: string): boolean {
  return isSecureOrigin(origin, false) && !new URL(origin).hostname.includes('*')
}

/** Serializes the changes of the list and of the registered scripts. */
const changeQueue = createSerialQueue()

/** Synchronizes the browser's registered scripts with the list of sites. */
export const syncScripts = (): Promise<void> => changeQueue(syncNow)

const syncNow = async (): Promise<void> => syncContentScripts(await getSiteOrigins())

/** Registers all scripts again. After an update of the extension its files may have other names. */
export async function reregisterScripts(): Promise<void> {
  await changeQueue(unregisterContentScripts)
  await syncScripts()
}

export function hasPermission(origin: string): Promise<boolean> {
  return browser.permissions.contains({ origins: [toHostPattern(origin)] })
}

/**
 * Switches a site on. The popup and the browser's `permissions.onAdded` event call it at the same time; the
 * second call finds the site on.
 *
 * @param tabId Tab whose open page gets the scripts at once.
 * @returns Whether the site was off before.
 * @throws Error when the extension does not have the host permission.
 */
export const addSite = (origin: string, tabId?: number): Promise<boolean> =>
  changeQueue(() => addNow(origin, tabId))

async function addNow(origin: string, tabId?: number): Promise<boolean> {
  if (!isFitSite(origin)) throw new Error('origin: expected an https origin of a single host')
  if (!(await hasPermission(origin))) throw new Error('origin: expected the permission for it')
  if ((await getSiteOrigins()).has(origin)) return false
  await set(origin, { since: Date.now() }, store)
  invalidateCache()
  await syncNow()
  // The tab may be closed or at another page by now; the site stays on.
  if (tabId !== undefined) await injectContentScripts(origin, tabId).catch(() => {})
  return true
}

/**
 * Switches a site off. From then on the broker does not answer its pages.
 *
 * @returns Whether the site was on before.
 */
export const removeSite = (origin: string): Promise<boolean> => changeQueue(() => removeNow(origin))

async function removeNow(origin: string): Promise<boolean> {
  const wasOn = (await getSiteOrigins()).has(origin)
  await del(origin, store)
  invalidateCache()
  await syncNow()
  return wasOn
}
