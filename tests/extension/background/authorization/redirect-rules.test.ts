/**
 * Tests the rules that block the redirect URI: they match the broker's own host alone, and each is bound to the
 * tabs of flows.
 *
 * Seen to fail when the condition has no `tabIds` (A04), when the filter has no anchor (V1), when the changes
 * are not serialized, and when the flow sends its tab on before the rules are there (R01).
 */

import 'fake-indexeddb/auto'
import fake, { seen, sessionRules } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', async () => {
  const { default: browser } = await import('../../support/fake-browser.ts')
  return { default: browser }
})

import fc from 'fast-check'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import {
  blockRedirectUri,
  createRedirectRules,
  forgetTab,
} from '../../../../extension/background/authorization/redirect-rules.ts'
import { REDIRECT_BASE } from '../../../../extension/identity.ts'

const tabsOfRules = () => sessionRules.current.map(({ condition }) => condition.tabIds)

beforeEach(() => {
  sessionRules.current = []
})

describe.each(['chromium', 'firefox'] as const)('the rules for %s', (target) => {
  const base = REDIRECT_BASE[target]
  const { host } = new URL(base)
  const strip = target === 'chromium'

  test('V1: match the broker’s own host only', () => {
    const filters = createRedirectRules([7], base, strip).map(
      ({ condition }) => condition.urlFilter,
    )
    // Firefox keeps the URL before a redirect of a rule in its history, so there the rule only blocks.
    expect(filters).toEqual([...(strip ? [`|https://${host}/*?`] : []), `||${host}^`])
  })

  test('A04: each rule is bound to the tabs of flows and to navigations', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (tabIds) => {
        const rules = createRedirectRules(tabIds, base, strip)
        expect(rules).toHaveLength(tabIds.length === 0 ? 0 : strip ? 2 : 1)
        for (const { condition } of rules) {
          expect(condition.tabIds).toEqual(tabIds)
          expect(condition.resourceTypes).toEqual(['main_frame', 'sub_frame'])
        }
      }),
    )
  })
})

describe('the tabs of the rules', () => {
  test('are those that were blocked and not closed, in whatever order the changes come', async () => {
    await Promise.all([blockRedirectUri(1), blockRedirectUri(2), blockRedirectUri(2)])
    expect(tabsOfRules()).toEqual([
      [1, 2],
      [1, 2],
    ])
    await Promise.all([forgetTab(1), blockRedirectUri(3), forgetTab(9)])
    expect(tabsOfRules()).toEqual([
      [2, 3],
      [2, 3],
    ])
    await Promise.all([forgetTab(2), forgetTab(3)])
    expect(sessionRules.current).toEqual([])
  })

  test('survive the worker: a new worker adds to them', async () => {
    await blockRedirectUri(1)
    vi.resetModules()
    const next = await import('../../../../extension/background/authorization/redirect-rules.ts')
    await next.blockRedirectUri(2)
    expect(tabsOfRules()[0]).toEqual([1, 2])
  })

  test('a browser that takes no rules is an error of the flow', async () => {
    vi.spyOn(fake.declarativeNetRequest, 'updateSessionRules').mockRejectedValueOnce(
      new Error('no'),
    )
    await expect(blockRedirectUri(seen.tabs[0]?.id ?? 0)).rejects.toThrow('no')
    await blockRedirectUri(5)
    expect(tabsOfRules()[0]).toEqual([5])
  })
})
