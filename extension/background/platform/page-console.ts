/**
 * Shows the diagnosis of a failed call in the console of its page, in a development build alone. The text is written
 * in the isolated world: the page's own scripts cannot read it.
 */

import browser from 'webextension-polyfill'

interface Document {
  origin: string
  tabId: number
  documentId: string
}

/** A page that calls in a loop gets each text once. */
const shown = new Set<string>()
const MAX_SHOWN = 1_000

/** Runs in the page. The tab may have another document by then. */
function warn(origin: string, text: string): void {
  if (location.origin === origin) console.warn(text)
}

/** Shows a text once for each document. A document that is gone gets nothing. */
export function showInConsole({ origin, tabId, documentId }: Document, text: string): void {
  if (!__DEVELOPMENT__) return
  const key = `${documentId} ${text}`
  if (shown.has(key)) return
  if (shown.size >= MAX_SHOWN) shown.clear()
  shown.add(key)
  const line = `Northkey (development): ${text}`
  browser.scripting
    .executeScript({ target: { tabId }, func: warn, args: [origin, line] })
    .catch(() => {})
}
