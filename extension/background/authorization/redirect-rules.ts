/**
 * Keeps authorization responses from the network: rules of the browser block the host of the redirect URI.
 * Every rule is bound to the tab of a flow, so no other page can observe it. A page elsewhere that requests
 * the host gets what it would get without the extension.
 *
 * The rules are session rules: they outlive the worker, and end with the browser. A tab has its rules before
 * it is sent to the operator, and keeps them until it is closed.
 *
 * Border: `windows.ts` opens the tabs, `index.ts` reads the responses.
 */

import browser, { type DeclarativeNetRequest } from 'webextension-polyfill'
import { redirectBase } from '../platform/redirect-base.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'

/** A rule with the condition that the polyfill's types lack. */
interface TabRule extends DeclarativeNetRequest.Rule {
  condition: DeclarativeNetRequest.RuleConditionType & { tabIds: number[] }
}

const STRIP_ID = 1
const BLOCK_ID = 2

/**
 * Creates the rules of these tabs. Pure.
 *
 * In Chromium a rule of higher priority strips the query: with the block alone, Chromium's session file keeps
 * the blocked URL, code included. Firefox's history keeps a URL from before the redirect of a rule, and nothing
 * of a blocked URL: there the only rule blocks.
 */
export function createRedirectRules(tabIds: number[], base: string, strip: boolean): TabRule[] {
  if (tabIds.length === 0) return []
  const { host } = new URL(base)
  const createCondition = (urlFilter: string): TabRule['condition'] => ({
    urlFilter,
    resourceTypes: ['main_frame', 'sub_frame'],
    tabIds,
  })
  const block: TabRule = {
    id: BLOCK_ID,
    priority: 1,
    action: { type: 'block' },
    condition: createCondition(`||${host}^`),
  }
  if (!strip) return [block]
  const stripQuery: TabRule = {
    id: STRIP_ID,
    priority: 2,
    action: { type: 'redirect', redirect: { transform: { query: '' } } },
    condition: createCondition(`|https://${host}/*?`),
  }
  return [stripQuery, block]
}

/** Serializes the changes: each reads the tabs of the present rules and writes them anew. */
const changeQueue = createSerialQueue()

async function changeTabs(change: (tabIds: number[]) => number[]): Promise<void> {
  const { declarativeNetRequest } = browser
  const [rule] = (await declarativeNetRequest.getSessionRules()) as TabRule[]
  const present = rule?.condition.tabIds ?? []
  const wanted = change(present)
  if (wanted.length === present.length) return
  await declarativeNetRequest.updateSessionRules({
    removeRuleIds: [STRIP_ID, BLOCK_ID],
    addRules: createRedirectRules(wanted, redirectBase, __TARGET__ === 'chromium'),
  })
}

/**
 * Blocks the redirect URI in a tab. The tab may be sent to the operator afterwards.
 *
 * @throws Error when the browser does not take the rules.
 */
export function blockRedirectUri(tabId: number): Promise<void> {
  return changeQueue(() =>
    changeTabs((tabIds) => (tabIds.includes(tabId) ? tabIds : [...tabIds, tabId])),
  )
}

/** Removes the rules of a tab that is closed. */
export function forgetTab(tabId: number): Promise<void> {
  return changeQueue(() => changeTabs((tabIds) => tabIds.filter((id) => id !== tabId)))
}
