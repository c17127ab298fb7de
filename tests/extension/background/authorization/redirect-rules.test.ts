/**
 * Tests the rules that block the redirect URI: they match the broker's own host alone, and each is bound to the
 * tabs of flows or to the pages of operators.
 *
 * Seen to fail when the condition has no `tabIds` (A04), when the filter has no anchor (V1), and when the
 * changes are not serialized.
 */

import 'fake-indexeddb/auto'
import fake, { rules } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', async () => {
  const { default: browser } = await import('../../support/fake-browser.ts')
  return { default: browser }
})
const operators = vi.hoisted(() => ({ listOperators: vi.fn() }))
vi.mock('../../../../extension/background/operators/operators.ts', () => operators)

import { beforeEach, describe, expect, test, vi } from 'vitest'
import {
  blockFromOperators,
  blockInTab,
  blockOutsideOfTabs,
  createRedirectRules,
  forgetTab,
  listSignInHosts,
  type RuleScope,
} from '../../../../extension/background/authorization/redirect-rules.ts'
import { REDIRECT_BASE } from '../../../../extension/identity.ts'
import { OPERATOR } from '../../support/records.ts'

const MODULE = '../../../../extension/background/authorization/redirect-rules.ts'
const tabsOfRules = () => rules.session.map(({ condition }) => condition.tabIds)

beforeEach(() => {
  rules.session = []
  rules.dynamic = []
})

describe.each(['chromium', 'firefox'] as const)('the rules for %s', (target) => {
  const base = REDIRECT_BASE[target]
  const { host } = new URL(base)
  const strip = target === 'chromium'
  const scope: RuleScope = { tabIds: [7], resourceTypes: ['main_frame'] }

  test('V1: match the broker’s own host only', () => {
    const filters = createRedirectRules(scope, base, strip).map(
      ({ condition }) => condition.urlFilter,
    )
    // Firefox keeps the URL before a redirect of a rule in its history, so there the rule only blocks.
    expect(filters).toEqual([...(strip ? [`|https://${host}/*?`] : []), `||${host}^`])
  })

  test('A04: each rule has the scope', () => {
    for (const { condition } of createRedirectRules(scope, base, strip)) {
      expect(condition).toMatchObject(scope)
    }
  })
})

describe('the rules of tabs', () => {
  test('A04: are for the tabs that were blocked and not closed, in whatever order the changes come', async () => {
    await Promise.all([blockInTab(1), blockInTab(2), blockInTab(2)])
    expect(tabsOfRules()).toEqual([
      [1, 2],
      [1, 2],
    ])
    await Promise.all([forgetTab(1), blockInTab(3), forgetTab(9)])
    expect(tabsOfRules()).toEqual([
      [2, 3],
      [2, 3],
    ])
    await Promise.all([forgetTab(2), forgetTab(3)])
    expect(rules.session).toEqual([])
  })

  test('A04: cover the navigations of no tab, once, beside the tabs', async () => {
    await Promise.all([blockInTab(1), blockOutsideOfTabs(), blockOutsideOfTabs()])
    await forgetTab(1)
    expect(tabsOfRules()).toEqual([[-1], [-1]])
  })

  test('survive the worker: a new worker adds to them', async () => {
    await blockInTab(1)
    vi.resetModules()
    const next = (await import(MODULE)) as { blockInTab: typeof blockInTab }
    await next.blockInTab(2)
    expect(tabsOfRules()[0]).toEqual([1, 2])
  })

  test('that the browser does not take are an error', async () => {
    const { declarativeNetRequest } = fake
    vi.spyOn(declarativeNetRequest, 'updateSessionRules').mockRejectedValueOnce(new Error('no'))
    await expect(blockInTab(4)).rejects.toThrow('no')
    await blockInTab(5)
    expect(tabsOfRules()[0]).toEqual([5])
  })
})

describe('the rules of operators', () => {
  const elsewhere = {
    ...OPERATOR,
    issuer: 'https://id.example',
    metadata: { authorization_endpoint: 'https://login.example/authorize' },
  }

  test('A04: are for navigations from the pages of the present operators, and vanish with them', async () => {
    operators.listOperators.mockResolvedValue([elsewhere])
    await blockFromOperators()
    expect(rules.dynamic).toHaveLength(2)
    for (const { condition } of rules.dynamic) {
      expect(condition).toMatchObject({
        initiatorDomains: ['id.example', 'login.example'],
        resourceTypes: ['main_frame'],
      })
    }
    operators.listOperators.mockResolvedValue([])
    await blockFromOperators()
    expect(rules.dynamic).toEqual([])
  })

  test('are not written again for the same hosts', async () => {
    operators.listOperators.mockResolvedValue([elsewhere])
    await blockFromOperators()
    const update = vi.spyOn(fake.declarativeNetRequest, 'updateDynamicRules')
    await blockFromOperators()
    expect(update).not.toHaveBeenCalled()
  })

  test('name each host once, without its port', () => {
    const issuers = ['https://b.example:8443/x', 'https://b.example', 'https://[::1]']
    const profiles = issuers.map((issuer) => ({ ...OPERATOR, issuer }))
    expect(listSignInHosts(profiles)).toEqual(['b.example'])
  })
})
