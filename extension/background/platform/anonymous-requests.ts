/**
 * Waits until the browser has the rule of `anonymous-request-rule.ts`, before a request is sent.
 *
 * - In Chromium the rule is a static one, which the browser has from the installation on, so nothing is awaited. No
 *   rule of any extension sees the handshake of a service worker there: that of a notification channel has the
 *   `Origin`, which is the same for each installation.
 * - In Firefox the extension has another host at each installation, so the rule is one of the browser session. With
 *   the `Origin` operators and APIs could recognize the user in the requests of other origins, subscribers and
 *   browser sessions.
 *
 * The browser applies a rule only with the permission for the host of the request, so in Firefox no other request
 * is sent.
 */

import browser from 'webextension-polyfill'
import { createAnonymousRequestRule } from './anonymous-request-rule.ts'
import { toHostPattern } from './host-pattern.ts'
import { memoize, memoizeByKey } from './memoize.ts'

/** `declarativeNetRequest` as far as it is used here; the types of the polyfill do not have it. */
interface SessionRules {
  updateSessionRules(options: { removeRuleIds: number[]; addRules: object[] }): Promise<void>
}

const addRule = memoize(async () => {
  const { declarativeNetRequest } = browser as unknown as { declarativeNetRequest: SessionRules }
  const rule = createAnonymousRequestRule(new URL(browser.runtime.getURL('')).hostname)
  await declarativeNetRequest.updateSessionRules({ removeRuleIds: [rule.id], addRules: [rule] })
})

/** Hosts whose permission the extension has. */
const givenHosts = memoizeByKey(async (pattern) => {
  if (await browser.permissions.contains({ origins: [pattern] })) return
  throw new Error('the permission for the host is missing')
})

browser.permissions.onRemoved.addListener(() => givenHosts.clear())

/**
 * Waits until the rule holds for a request to this URL.
 *
 * @throws Error without the permission for the host, or of the browser. The next call tries again.
 */
export async function requireAnonymousRequest(url: string): Promise<void> {
  if (__TARGET__ !== 'firefox') return
  await givenHosts.get(toHostPattern(url))
  await addRule()
}
