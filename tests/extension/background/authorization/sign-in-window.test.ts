/**
 * Tests the order of a sign-in: its window opens while the requests for it are under way, and is sent to the operator
 * only when the redirect URI is blocked in it. The operator is a double, the stores are real.
 *
 * Seen to fail when the window opens after the metadata have come, when a failed request leaves the window open, when
 * the tab is navigated before its rules are there, and when the flow of a stopped worker needs another click.
 */

import 'fake-indexeddb/auto'
import fake, { page as pageTab, rules, seen, storage } from '../../support/fake-browser.ts'

const discover = vi.hoisted(() => vi.fn(async (): Promise<unknown> => ({})))

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => OPERATOR,
}))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  discover,
}))

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  cancelFlow,
  resumeFlowOfCall,
  startFlow,
} from '../../../../extension/background/authorization/authorization-flow.ts'
import {
  type FlowBase,
  flows,
} from '../../../../extension/background/authorization/flow-records.ts'
import { spendActivation } from '../../../../extension/background/authorization/user-activation.ts'
import { closeTab, openSignIn } from '../../../../extension/background/authorization/windows.ts'
import { NorthkeyError } from '../../../../shared/core/index.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'
import { flowOf, ISSUER, OPERATOR } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const METADATA = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  code_challenge_methods_supported: ['S256'],
}

const PICTURE = /icons\/128\.png/
const findSignIn = () => seen.tabs.find(({ url }) => url.startsWith(`${ISSUER}/auth`))
const countPictures = () => seen.tabs.filter(({ url }) => PICTURE.test(url)).length

/** Starts a flow without consent window. */
function start(base: FlowBase) {
  return startFlow(base, { apis: base.request.apis, lifetime: 'day' })
}

beforeEach(async () => {
  Object.assign(seen, { tabs: [pageTab], closed: [], hidden: [] })
  rules.session = []
  discover.mockReset()
  discover.mockResolvedValue(METADATA)
  await storage.session.remove('openedWindows')
})
afterEach(() => void vi.restoreAllMocks())

describe('W03: the sign-in window', () => {
  test('opens while the metadata are on their way', async () => {
    let resolve: (metadata: object) => void = () => {}
    discover.mockReturnValue(
      new Promise((resolvePromise) => {
        resolve = resolvePromise
      }),
    )
    const flow = flowOf()
    const outcome = start(flow)
    await vi.waitFor(() => expect(countPictures()).toBe(1), WITHIN_MS)
    expect(findSignIn()).toBeUndefined()
    expect((await flows.get(flow.flowId))?.status).toBe('preparing')
    resolve(METADATA)
    await vi.waitFor(() => expect(findSignIn()).toBeDefined(), WITHIN_MS)
    expect(countPictures()).toBe(0)
    await cancelFlow(flow.flowId)
    await outcome
  })

  test('is closed when a request for the sign-in fails, and the page gets that error', async () => {
    discover.mockRejectedValue(new NorthkeyError('network_error', 'unreachable'))
    // In Firefox the address of a new tab is not there at first.
    vi.spyOn(fake.tabs, 'query').mockResolvedValue([])
    const outcome = await start(flowOf())
    expect(outcome).toMatchObject({ error: { code: ERROR_CODE.unreachable } })
    expect(seen.tabs).toEqual([pageTab])
  })

  test('that could not be opened ends the flow', async () => {
    vi.spyOn(fake.tabs, 'create').mockRejectedValue(new Error('no window'))
    expect(await start(flowOf())).toMatchObject({ error: { code: ERROR_CODE.internalError } })
  })

  test('is sent to the operator once the redirect URI is blocked in it', async () => {
    const navigate = vi.spyOn(fake.tabs, 'update')
    let blocked: number[] | undefined
    navigate.mockImplementation(async (id, { url }) => {
      blocked = rules.session.flatMap(({ condition }) => condition.tabIds ?? [])
      seen.tabs = seen.tabs.map((tab) => (tab.id === id ? { ...tab, url: url ?? '' } : tab))
    })
    const flow = flowOf()
    const outcome = start(flow)
    await vi.waitFor(() => expect(findSignIn()).toBeDefined(), WITHIN_MS)
    expect(blocked).toContain(findSignIn()?.id)
    await cancelFlow(flow.flowId)
    await outcome
  })

  test('is a tab beside the page, and returns to the page', async () => {
    const create = vi.spyOn(fake.tabs, 'create')
    await openSignIn('flow', pageTab.id)
    expect(create).toHaveBeenCalledWith(
      expect.objectContaining({ active: true, openerTabId: pageTab.id, windowId: 1 }),
    )
  })

  test('is a window with an address bar where the window of the page has no tabs', async () => {
    vi.spyOn(fake.windows, 'get').mockResolvedValueOnce({ state: 'normal', type: 'popup' })
    const create = vi.spyOn(fake.windows, 'create')
    await openSignIn('flow', pageTab.id)
    expect(create).toHaveBeenCalledWith(expect.objectContaining({ type: 'normal' }))
  })

  test.each([
    { active: true, returnsTo: [pageTab.id] },
    { active: false, returnsTo: [] },
  ])('returns to the page where it is in front: $active', async ({ active, returnsTo }) => {
    const tabId = await openSignIn('flow', pageTab.id)
    const tab = { ...(await fake.tabs.get(tabId)), active, openerTabId: pageTab.id }
    vi.spyOn(fake.tabs, 'get').mockResolvedValueOnce(tab)
    const activate = vi.spyOn(fake.tabs, 'update').mockResolvedValue()
    await closeTab(tabId)
    expect(activate.mock.calls).toEqual(returnsTo.map((id) => [id, { active: true }]))
    expect(seen.closed).toEqual([tabId])
  })

  test('of a stopped worker opens again from the same click, and no other window does', async () => {
    const flow = flowOf()
    const approval = { apis: flow.request.apis, lifetime: 'day' as const }
    await flows.set(flow.flowId, { ...flow, status: 'preparing', approval })
    await spendActivation(flow)
    const outcome = resumeFlowOfCall(flow.origin, flow.requestId)
    await vi.waitFor(() => expect(findSignIn()).toBeDefined(), WITHIN_MS)
    await cancelFlow(flow.flowId)
    await outcome
    expect(await start(flowOf())).toMatchObject({
      error: { code: ERROR_CODE.interactionRequired },
    })
  })
})
