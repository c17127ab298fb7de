/**
 * Removes from the requests of the extension what identifies its user, where a browser adds that: a rule of the
 * browser session, and no request is sent before the browser has it.
 *
 * - Firefox sends an `Origin` whose host is a random identifier of this installation. With it, operators and APIs
 *   could recognize the user in the requests of other origins, subscribers and browser sessions. It adds cookies to
 *   the handshake of a WebSocket, for which there is no option.
 * - Chromium sends the id of the extension, which is the same everywhere, and no rule of any extension sees a
 *   handshake of a service worker: there is no rule there.
 *
 * The condition has the extension itself as the initiator, so no request of a page changes. A static rule would not
 * do: Firefox gives the extension another host at each installation.
 *
 * The browser applies a rule only with the permission for the host of the request, so no other request is sent.
 */

import browser from 'webextension-polyfill'
import { toHostPattern } from './host-pattern.ts'
import { memoize, memoizeByKey } from './memoize.ts'

/** The rules of `authorization/redirect-rules.ts`, also of the browser session, have other ids. */
const RULE_ID = 3

/** `declarativeNetRequest` as far as it is used here; the types of the polyfill do not have it. */
interface SessionRules {
  updateSessionRules(options: { removeRuleIds: number[]; addRules: object[] }): Promise<void>
}

const createRule = () => ({
  id: RULE_ID,
  action: {
    type: 'modifyHeaders',
    requestHeaders: ['cookie', 'origin'].map((header) => ({ header, operation: 'remove' })),
    responseHeaders: [{ header: 'set-cookie', operation: 'remove' }],
  },
  condition: {
    initiatorDomains: [new URL(browser.runtime.getURL('')).hostname],
    resourceTypes: ['websocket', 'xmlhttprequest'],
  },
})

const addRule = memoize(async () => {
  const { declarativeNetRequest } = browser as unknown as { declarativeNetRequest: SessionRules }
  await declarativeNetRequest.updateSessionRules({
    removeRuleIds: [RULE_ID],
    addRules: [createRule()],
  })
})

/** Hosts whose permission the extension has. */
const givenHosts = memoizeByKey(async (pattern) => {
  if (await browser.permissions.contains({ origins: [pattern] })) return
  throw new Error('the permission for the host is missing')
})

browser.permissions.onRemoved.addListener(() => givenHosts.clear())

/**
 * Waits until the rule holds for a request to this URL, where there is a rule.
 *
 * @throws Error without the permission for the host, or of the browser. The next call tries again.
 */
export async function requireAnonymousRequest(url: string): Promise<void> {
  if (__TARGET__ !== 'firefox') return
  await givenHosts.get(toHostPattern(url))
  await addRule()
}
