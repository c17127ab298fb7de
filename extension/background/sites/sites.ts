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
import contentScript from '../../content/index.iife.ts?script&iife'
import providerScript from '../../provider/index.iife.ts?script&iife'
import { hostPattern } from '../operators/merge-operator-profiles.ts'
import { memoize } from '../platform/memoize.ts'
import { openDatabase } from '../platform/open-database.ts'
import { isLoopbackOrigin, isSecureOrigin } from '../platform/secure-origin.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'
import { changed } from '../platform/state-version.ts'

const store = openDatabase('northkey-sites', 'sites')

/** Origins that were switched on. */
export const siteOrigins = memoize(
  async (): Promise<ReadonlySet<string>> => new Set(await keys<string>(store)),
)

function forget(): void {
  siteOrigins.reset()
  changed()
}

/** Loopback, in a development build: the scripts are in its manifest. */
export function isAlwaysOn(origin: string): boolean {
  return __DEVELOPMENT__ && isLoopbackOrigin(origin)
}

/** Whether pages of this origin may ask. Every call of a page passes here. */
export async function isSiteOn(origin: string): Promise<boolean> {
  return isAlwaysOn(origin) || (await siteOrigins()).has(origin)
}

/**
 * Chromium's patterns know ports, and without one they mean every port; in Firefox, whose patterns know
 * none, a site's other ports get scripts that nobody answers. So does, in Chromium, the same host with a dot
 * at its end.
 */
function matchPattern(origin: string): string {
  if (__TARGET__ === 'firefox') return hostPattern(origin)
  const { protocol, hostname, port } = new URL(origin)
  return `${protocol}//${hostname}:${port || 443}/*`
}

const SCRIPTS = [
  { name: 'content', file: contentScript, world: 'ISOLATED' },
  { name: 'provider', file: providerScript, world: 'MAIN' },
] as const

/** One change of the list and of the registered scripts at a time. */
const changes = createSerialQueue()

/** Makes the browser's list of scripts what the list of sites says. Changes nothing that is right. */
export const syncScripts = (): Promise<void> => changes(sync)

async function sync(): Promise<void> {
  const registered = await browser.scripting.getRegisteredContentScripts()
  const wanted = [...(await siteOrigins())].flatMap((origin) =>
    SCRIPTS.map(({ name, file, world }) => ({
      id: `${name} ${origin}`,
      js: [file],
      matches: [matchPattern(origin)],
      runAt: 'document_start' as const,
      allFrames: false,
      persistAcrossSessions: true,
      world,
    })),
  )
  const has = ({ id }: { id: string }, list: { id: string }[]) =>
    list.some((each) => each.id === id)
  const stale = registered.filter((script) => !has(script, wanted)).map(({ id }) => id)
  const missing = wanted.filter((script) => !has(script, registered))
  if (stale.length > 0) await browser.scripting.unregisterContentScripts({ ids: stale })
  if (missing.length > 0) await browser.scripting.registerContentScripts(missing)
}

/** After an update the files may have other names: everything is registered anew. */
export async function registerAnew(): Promise<void> {
  await changes(() => browser.scripting.unregisterContentScripts())
  await syncScripts()
}

export function hasPermission(origin: string): Promise<boolean> {
  return browser.permissions.contains({ origins: [hostPattern(origin)] })
}

/** The page that is open already gets the scripts now; every later one gets them by itself. */
async function inject(origin: string, tabId: number): Promise<void> {
  const { url = '' } = await browser.tabs.get(tabId)
  if (!URL.canParse(url) || new URL(url).origin !== origin) return
  for (const { file, world } of SCRIPTS) {
    await browser.scripting.executeScript({
      target: { tabId },
      files: [file],
      world,
      injectImmediately: true,
    })
  }
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
  if ((await siteOrigins()).has(origin)) return false
  await set(origin, { since: Date.now() }, store)
  forget()
  await sync()
  // The tab may be gone or elsewhere by now; the site is on all the same.
  if (tabId !== undefined) await inject(origin, tabId).catch(() => {})
  return true
}

/** @returns Whether it was on before. From here on no page of it is answered. */
export const removeSite = (origin: string): Promise<boolean> => changes(() => remove(origin))

async function remove(origin: string): Promise<boolean> {
  const was = (await siteOrigins()).has(origin)
  await del(origin, store)
  forget()
  await sync()
  return was
}
