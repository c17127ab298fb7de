/** Looks for the provider with a script of a document, without the client of the test application. */

import type { Frame, Page } from 'puppeteer-core'

/**
 * Returns true if a document finds the broker. The provider enters a document before the document's first script,
 * and announces itself synchronously while the request event is dispatched, so no wait is needed.
 */
export function findsBroker(document: Frame | Page): Promise<boolean> {
  return document.evaluate(() => {
    let isFound = false
    const find = () => {
      isFound = true
    }
    window.addEventListener('northbound:announceProvider', find)
    window.dispatchEvent(new Event('northbound:requestProvider'))
    window.removeEventListener('northbound:announceProvider', find)
    return isFound
  })
}
