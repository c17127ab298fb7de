/**
 * Keeps authorization responses from the network: rules of the browser block the host of the redirect URI.
 * No rule concerns the requests of other sites, so that none of them can observe a rule: a page elsewhere that
 * requests the host gets what it would get without the extension.
 *
 * - The tab of a flow, as session rules. A tab has them before it is sent to the operator, and keeps them until
 *   it is closed. They outlive the worker, and end with the browser.
 * - Navigations that begin in a page of an operator, in every tab, as dynamic rules. They catch the response of
 *   a sign-in page that the browser has restored, that a container has moved to another tab, or that opened
 *   another window.
 * - Navigations that belong to no tab, as session rules: those of an authorization without a window.
 *
 * Border: `windows.ts` opens the tabs, `index.ts` reads the responses.
 */

import browser, { type DeclarativeNetRequest } from 'webextension-polyfill'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { getSignInOrigin } from '../operators/operator-servers.ts'
import { listOperators } from '../operators/operators.ts'
import { redirectBase } from '../platform/redirect-base.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'

/** The requests that the rules concern. */
export interface RuleScope {
  tabIds?: number[]
  initiatorDomains?: string[]
  resourceTypes: ('main_frame' | 'sub_frame')[]
}

/** A rule, with the condition that the polyfill's types lack. */
interface RedirectRule extends DeclarativeNetRequest.Rule {
  condition: DeclarativeNetRequest.RuleConditionType & RuleScope
}

/** `platform/anonymous-requests.ts` has the id 3. */
const STRIP_ID = 1
const BLOCK_ID = 2

/**
 * Creates the rules for some requests. Pure.
 *
 * In Chromium a rule of higher priority strips the query: with the block alone, Chromium's session file keeps
 * the blocked URL, code included. Firefox's history keeps a URL from before the redirect of a rule, and nothing
 * of a blocked URL: there the only rule blocks.
 */
export function createRedirectRules(
  scope: RuleScope,
  base: string,
  strip: boolean,
): RedirectRule[] {
  const { host } = new URL(base)
  const block: RedirectRule = {
    id: BLOCK_ID,
    priority: 1,
    action: { type: 'block' },
    condition: { urlFilter: `||${host}^`, ...scope },
  }
  if (!strip) return [block]
  const stripQuery: RedirectRule = {
    id: STRIP_ID,
    priority: 2,
    action: { type: 'redirect', redirect: { transform: { query: '' } } },
    condition: { urlFilter: `|https://${host}/*?`, ...scope },
  }
  return [stripQuery, block]
}

/** Replaces all rules by those of a scope, or by none. */
const replaceRules = (scope: RuleScope | undefined) => ({
  removeRuleIds: [STRIP_ID, BLOCK_ID],
  addRules: scope ? createRedirectRules(scope, redirectBase, __TARGET__ === 'chromium') : [],
})

/** Finds the scope of the present rules among all rules of a kind. */
const findBlock = (rules: DeclarativeNetRequest.Rule[]) =>
  (rules as RedirectRule[]).find(({ id }) => id === BLOCK_ID)?.condition

/** Serializes the changes: each reads the present rules and writes them anew. */
const changeQueue = createSerialQueue()

/** @param change May wait for a tab that is being opened: the present rules are read meanwhile. */
function changeTabs(change: (tabIds: number[]) => number[] | Promise<number[]>): Promise<void> {
  return changeQueue(async () => {
    const { declarativeNetRequest } = browser
    const present = findBlock(await declarativeNetRequest.getSessionRules())?.tabIds ?? []
    const tabIds = await change(present)
    if (tabIds.length === present.length) return
    await declarativeNetRequest.updateSessionRules(
      replaceRules(
        tabIds.length > 0 ? { tabIds, resourceTypes: ['main_frame', 'sub_frame'] } : undefined,
      ),
    )
  })
}

/**
 * Blocks the redirect URI in a tab. The tab may be sent to the operator afterwards.
 *
 * @param opening The tab, which may still be opening.
 * @throws Error when the tab does not open, or the browser does not take the rules.
 */
export function blockInTab(opening: number | Promise<number>): Promise<void> {
  return changeTabs(async (tabIds) => {
    const tabId = await opening
    return tabIds.includes(tabId) ? tabIds : [...tabIds, tabId]
  })
}

/**
 * Blocks the redirect URI in the navigations that belong to no tab: those of `identity.launchWebAuthFlow` without a
 * window. The browser reads the response there, but in Chromium the request may have left by then. No site can begin
 * such a navigation.
 *
 * @throws Error when the browser does not take the rules.
 */
export const blockOutsideOfTabs = (): Promise<void> => blockInTab(browser.tabs.TAB_ID_NONE)

/** Removes the rules of a tab that is closed. */
export function forgetTab(tabId: number): Promise<void> {
  return changeTabs((tabIds) => tabIds.filter((id) => id !== tabId))
}

/** Lists the hosts of operators at which subscribers sign in. Pure. */
export function listSignInHosts(profiles: OperatorProfile[]): string[] {
  const hosts = profiles
    .flatMap((profile) => [profile.issuer, getSignInOrigin(profile)])
    .map((url) => new URL(url).hostname)
    // A rule takes no address of IPv6.
    .filter((host) => !host.startsWith('['))
  return [...new Set(hosts)].sort()
}

/**
 * Blocks the redirect URI for navigations that begin in a page of a known operator, or of a subdomain of its hosts,
 * and for no others. It runs in each browser session and whenever the operators change.
 */
export function blockFromOperators(): Promise<void> {
  return changeQueue(async () => {
    const { declarativeNetRequest } = browser
    const initiatorDomains = listSignInHosts(await listOperators())
    const present = findBlock(await declarativeNetRequest.getDynamicRules())?.initiatorDomains ?? []
    if ([...present].sort().join() === initiatorDomains.join()) return
    await declarativeNetRequest.updateDynamicRules(
      replaceRules(
        initiatorDomains.length > 0
          ? { initiatorDomains, resourceTypes: ['main_frame'] }
          : undefined,
      ),
    )
  })
}
