/** Asks for the provider in a document, as section 1 of the contract says. */

import type { Frame, Page } from 'puppeteer-core'

/**
 * Returns whether a provider announces itself. It does so while the request event is dispatched, so there is
 * nothing to wait for.
 */
export function isProviderAnnounced(document: Page | Frame): Promise<boolean> {
  return document.evaluate(() => {
    let isAnnounced = false
    const listener = () => {
      isAnnounced = true
    }
    window.addEventListener('northbound:announceProvider', listener)
    window.dispatchEvent(new Event('northbound:requestProvider'))
    window.removeEventListener('northbound:announceProvider', listener)
    return isAnnounced
  })
}
