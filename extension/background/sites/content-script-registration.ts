/**
 * Registers the content scripts of sites with the browser, for their origins alone, and injects them into
 * a page that is open already.
 */

import browser from 'webextension-polyfill'
import contentScript from '../../content/index.iife.ts?script&iife'
import providerScript from '../../provider/index.iife.ts?script&iife'
import { isInContainer } from '../platform/container.ts'
import { toHostPattern } from '../platform/host-pattern.ts'

/**
 * Returns the match pattern of an origin. Chromium's patterns have ports, and a pattern without a port
 * matches every port. Firefox's patterns have no ports: the other ports of a site get content scripts too,
 * but the broker does not answer these. The same applies in Chromium to the host name with a dot at its
 * end.
 */
function toMatchPattern(origin: string): string {
  if (__TARGET__ === 'firefox') return toHostPattern(origin)
  const { protocol, hostname, port } = new URL(origin)
  return `${protocol}//${hostname}:${port || 443}/*`
}

const SCRIPTS = [
  { name: 'content', file: contentScript, world: 'ISOLATED' },
  { name: 'provider', file: providerScript, world: 'MAIN' },
] as const

/** Registers missing scripts and unregisters stale scripts. The other registrations do not change. */
export async function syncContentScripts(origins: Iterable<string>): Promise<void> {
  const registered = await browser.scripting.getRegisteredContentScripts()
  const wanted = [...origins].flatMap((origin) =>
    SCRIPTS.map(({ name, file, world }) => ({
      id: `${name} ${origin}`,
      js: [file],
      matches: [toMatchPattern(origin)],
      runAt: 'document_start' as const,
      allFrames: false,
      persistAcrossSessions: true,
      world,
    })),
  )
  const includesId = ({ id }: { id: string }, list: { id: string }[]) =>
    list.some((script) => script.id === id)
  const stale = registered.filter((script) => !includesId(script, wanted)).map(({ id }) => id)
  const missing = wanted.filter((script) => !includesId(script, registered))
  if (stale.length > 0) await browser.scripting.unregisterContentScripts({ ids: stale })
  if (missing.length > 0) await browser.scripting.registerContentScripts(missing)
}

export const unregisterContentScripts = (): Promise<void> =>
  browser.scripting.unregisterContentScripts()

/** Injects the scripts into the page that is open in a tab. Later pages get them by the registration. */
export async function injectContentScripts(origin: string, tabId: number): Promise<void> {
  const tab = await browser.tabs.get(tabId)
  const { url = '' } = tab
  if (isInContainer(tab)) return
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
