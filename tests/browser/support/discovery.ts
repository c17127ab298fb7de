/** Discovery of the provider by a script of a document, without the client that the test application has. */

import type { Frame, Page } from 'puppeteer-core'

/**
 * Whether a document finds the broker. The provider enters a document before the document's first script,
 * and announces itself while the event that asks for it is dispatched: there is nothing to wait for.
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
