/**
 * Removes the cookies from the WebSocket handshakes of the extension, where a browser allows that. A handshake has no
 * option for it: a browser sends the cookies of the host with it, and stores those of the answer. So a server would
 * learn the user from the cookies that a site of the same host has set.
 *
 * - Firefox: a `declarativeNetRequest` rule of the browser session. Its condition has the extension itself as the
 *   initiator, so no handshake of a page changes. A static rule would not do: Firefox gives the extension another
 *   host at each installation.
 * - Chromium: no rule of any extension sees a handshake of a service worker. The cookies with `SameSite=None` of
 *   that host stay; `websocket-uri.ts` limits the hosts.
 *
 * @see docs/decisions/0028-a-capif-core-is-not-trusted-with-the-channel.md
 */

import browser from 'webextension-polyfill'
import { toHostPattern } from '../operators/host-permissions.ts'
import { memoize } from '../platform/memoize.ts'

/** The rules of `redirect-rules.ts`, also of the browser session, have other ids. */
const RULE_ID = 3

/** `declarativeNetRequest` as far as it is used here; the types of the polyfill do not have it. */
interface SessionRules {
  updateSessionRules(options: { removeRuleIds: number[]; addRules: object[] }): Promise<void>
}

const createRule = () => ({
  id: RULE_ID,
  action: {
    type: 'modifyHeaders',
    requestHeaders: [{ header: 'cookie', operation: 'remove' }],
    responseHeaders: [{ header: 'set-cookie', operation: 'remove' }],
  },
  condition: {
    initiatorDomains: [new URL(browser.runtime.getURL('')).hostname],
    resourceTypes: ['websocket'],
  },
})

const addRule = memoize(async () => {
  const { declarativeNetRequest } = browser as unknown as { declarativeNetRequest: SessionRules }
  await declarativeNetRequest.updateSessionRules({
    removeRuleIds: [RULE_ID],
    addRules: [createRule()],
  })
})

/**
 * Waits until a handshake carries no cookies, where the browser allows that. There no connection is made without the
 * rule, or without the permission for the host that the rule needs.
 *
 * @throws Error without the permission, or of the browser. The next call tries again.
 */
export async function requireAnonymousHandshake(websocketUri: string): Promise<void> {
  if (__TARGET__ !== 'firefox') return
  const origins = [toHostPattern(websocketUri.replace(/^ws/, 'http'))]
  if (!(await browser.permissions.contains({ origins }))) {
    throw new Error('the permission for the host is missing')
  }
  await addRule()
}
