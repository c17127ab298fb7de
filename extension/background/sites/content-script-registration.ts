/**
 * Registers the content scripts of sites with the browser, for their origins alone, and injects them into
 * a page that is open already.
 */

import browser from 'webextension-polyfill'
import contentScript from '../../content/index.iife.ts?script&iife'
import providerScript from '../../provider/index.iife.ts?script&iife'
import { toHostPattern } from '../operators/host-permissions.ts'

/**
 * Chromium's patterns know ports, and without one they mean every port; in Firefox, whose patterns know
 * none, a site's other ports get scripts that nobody answers. So does, in Chromium, the same host with a dot
 * at its end.
 */
function matchPattern(origin: string): string {
  if (__TARGET__ === 'firefox') return toHostPattern(origin)
  const { protocol, hostname, port } = new URL(origin)
  return `${protocol}//${hostname}:${port || 443}/*`
}

const SCRIPTS = [
  { name: 'content', file: contentScript, world: 'ISOLATED' },
  { name: 'provider', file: providerScript, world: 'MAIN' },
] as const

/** Registers what is missing and unregisters what is stale. Changes nothing that is right. */
export async function syncContentScripts(origins: Iterable<string>): Promise<void> {
  const registered = await browser.scripting.getRegisteredContentScripts()
  const wanted = [...origins].flatMap((origin) =>
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
    list.some((script) => script.id === id)
  const stale = registered.filter((script) => !has(script, wanted)).map(({ id }) => id)
  const missing = wanted.filter((script) => !has(script, registered))
  if (stale.length > 0) await browser.scripting.unregisterContentScripts({ ids: stale })
  if (missing.length > 0) await browser.scripting.registerContentScripts(missing)
}

export const unregisterContentScripts = (): Promise<void> =>
  browser.scripting.unregisterContentScripts()

/** The page that is open already gets the scripts now; every later one gets them by itself. */
export async function injectContentScripts(origin: string, tabId: number): Promise<void> {
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
