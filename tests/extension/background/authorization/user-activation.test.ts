/**
 * Tests how long a click of the user counts, and that it opens one window.
 *
 * Seen to fail when `spendActivation` records no window (a second window opens from the same click), when the age of
 * a call is not compared, when the page's tab is not looked at again, and when a call that is sent again has a click:
 * all four held before.
 *
 * @see A11c, A11d of docs/conformance.md
 */

import 'fake-indexeddb/auto'
import { page as pageTab, seen, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => ({ ...OPERATOR, applications: [APPLICATION] }),
}))

vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  discover: async () => METADATA,
}))

vi.mock('../../../../extension/background/sites/sites.ts', async (original) => ({
  ...(await original<object>()),
  isSiteOn: async () => true,
}))
vi.mock('../../../../extension/background/methods/get-access-token.ts', () => ({
  getAccessToken: async ({ userActivation }: Call) => userActivation,
}))

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  approveFlow,
  cancelFlow,
  startFlow,
} from '../../../../extension/background/authorization/authorization-flow.ts'
import { flows } from '../../../../extension/background/authorization/flow-records.ts'
import {
  isExpired,
  isSpent,
  requireActivation,
} from '../../../../extension/background/authorization/user-activation.ts'
import { connect } from '../../../../extension/background/methods/connect.ts'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import { renewWithUser } from '../../../../extension/background/methods/user-interaction.ts'
import { handlePageRequest } from '../../../../extension/background/page/page-router.ts'
import { ACTIVATION_LIFETIME_MS, TRANSIENT_ACTIVATION_MS } from '../../../../extension/limits.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'
import { flowOf, grantOf, ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const METADATA = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
}
const APPLICATION = { clientId: 'client', name: 'App', origins: [ORIGIN], requireConsent: true }
const PARAMS = {
  issuer: ISSUER,
  apis: OPERATOR.apis.map(({ resource }) => ({ resource, scope: 'qos:create' })),
}
const INTERACTION_REQUIRED = { code: ERROR_CODE.interactionRequired }

const callOf = (members: Partial<Call> = {}): Call => ({
  origin: ORIGIN,
  tabId: pageTab.id,
  documentId: 'document',
  key: undefined,
  requestId: crypto.randomUUID(),
  calledAtMs: Date.now(),
  userActivation: true,
  visible: true,
  signal: new AbortController().signal,
  deliver: () => {},
  ...members,
})

const countAll = () => seen.tabs.length - 1
const countWindows = () => seen.tabs.filter(({ url }) => url.includes('/ui/consent/')).length

/** Opens the consent window by a call, then aborts the call, which closes the window. */
async function openAndAbort(call: Partial<Call> = {}): Promise<void> {
  const page = new AbortController()
  const outcome = connect(callOf({ ...call, signal: page.signal }), PARAMS).catch((error) => error)
  await vi.waitFor(() => expect(countWindows()).toBe(1), WITHIN_MS)
  page.abort()
  expect((await outcome).code).toBe(ERROR_CODE.accessDenied)
  await vi.waitFor(() => expect(countWindows()).toBe(0), WITHIN_MS)
}

const passTime = (ms: number) => void vi.setSystemTime(Date.now() + ms)

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  Object.assign(seen, { tabs: [pageTab], hidden: [] })
  await storage.session.clear()
})
afterEach(() => void vi.useRealTimers())

describe('A11c: a click', () => {
  test.for([
    ['no window yet', 1_000, undefined, 1_000, false],
    ['a call before the window', 1_000, 1_500, 2_000, true],
    ['a call with the window', 1_500, 1_500, 2_000, true],
    ['a call while the click may still be active', 6_499, 1_500, 6_499, true],
    ['a call whose click came after the window', 6_500, 1_500, 6_500, false],
    ['a clock that was set back', 1_000, 900_000, 1_000, false],
  ] as const)('is spent or not: %s', ([, calledAt, openedAt, now, expected]) => {
    expect(isSpent(calledAt, openedAt, now)).toBe(expected)
  })

  test('opens one window, however often the page aborts and calls again', async () => {
    await openAndAbort()
    const later = [
      callOf(),
      callOf({ documentId: 'other' }),
      callOf({ tabId: 2, documentId: 'third' }),
    ]
    for (const call of later) {
      await expect(connect(call, PARAMS)).rejects.toMatchObject(INTERACTION_REQUIRED)
    }
    // A renewal is what `interactive: 'ifNeeded'` and a step-up begin.
    for (const stepUp of [{}, { maxAge: 0 }]) {
      await expect(renewWithUser(callOf(), grantOf(), stepUp)).rejects.toMatchObject(
        INTERACTION_REQUIRED,
      )
    }
    expect(countWindows()).toBe(0)

    passTime(TRANSIENT_ACTIVATION_MS)
    await openAndAbort()
  })

  test('of before the window opens none after it, though the call waited in the meantime', async () => {
    const waiting = callOf()
    passTime(1_000)
    await openAndAbort()
    await expect(requireActivation(waiting)).rejects.toMatchObject(INTERACTION_REQUIRED)
  })

  test('that another worker spent is spent: the record outlives the worker', async () => {
    await openAndAbort()
    vi.resetModules()
    const next = await import('../../../../extension/background/authorization/user-activation.ts')
    await expect(next.requireActivation(callOf())).rejects.toThrow(
      /another window takes a new click/,
    )
  })

  test('of another origin is not spent', async () => {
    await openAndAbort()
    await expect(
      requireActivation(callOf({ origin: 'https://b.example' })),
    ).resolves.toBeUndefined()
  })
})

describe('A11d: a window long after the click', () => {
  test.for([
    ['at once', 0, false],
    ['in time', ACTIVATION_LIFETIME_MS - 1, false],
    ['too late', ACTIVATION_LIFETIME_MS, true],
    ['a clock that was set back', -1, true],
  ] as const)('is judged by its age: %s', ([, age, expected]) => {
    expect(isExpired(1_000_000, 1_000_000 + age)).toBe(expected)
  })

  test('does not open: the call waited too long', async () => {
    const call = callOf()
    passTime(20_000)
    await expect(connect(call, PARAMS)).rejects.toMatchObject(INTERACTION_REQUIRED)
    expect(countWindows()).toBe(0)
  })

  test.for([
    ['the consent window', 'ask'],
    ['the sign-in window of a waived consent', { apis: PARAMS.apis }],
  ] as const)('does not open where the page is hidden by then: %s', async ([, consent]) => {
    const approval = consent === 'ask' ? consent : { apis: [...consent.apis] }
    seen.hidden = [pageTab.id]
    expect(await startFlow(flowOf(), approval)).toMatchObject({ error: INTERACTION_REQUIRED })
    expect(countAll()).toBe(0)

    seen.hidden = []
    const shown = flowOf()
    const outcome = startFlow(shown, approval)
    await vi.waitFor(() => expect(countAll()).toBe(1), WITHIN_MS)
    await cancelFlow(shown.flowId)
    await outcome
  })

  test('does not open after an attempt without a window that took too long', async () => {
    const late = flowOf({ calledAtMs: Date.now() - ACTIVATION_LIFETIME_MS })
    const outcome = await startFlow(late, { apis: [...PARAMS.apis] })
    expect(outcome).toMatchObject({ error: INTERACTION_REQUIRED })
    expect(countAll()).toBe(0)
    expect(await flows.get(late.flowId)).toBeUndefined()
  })

  test('opens if the user approved in the consent window: a click of the page is not needed', async () => {
    const flow = flowOf()
    const outcome = startFlow(flow, 'ask')
    await vi.waitFor(() => expect(countWindows()).toBe(1), WITHIN_MS)
    await vi.waitFor(
      async () => expect(await flows.get(flow.flowId)).toHaveProperty('tabId'),
      WITHIN_MS,
    )
    passTime(60_000)
    seen.hidden = [pageTab.id]
    await approveFlow(flow.flowId, { apis: [...PARAMS.apis], lifetime: 'day' })
    expect(seen.tabs.map(({ url }) => url)).toContainEqual(
      expect.stringContaining(`${ISSUER}/auth`),
    )
    await cancelFlow(flow.flowId)
    await outcome
  })

  test.for([
    [0, true],
    [1, false],
  ] as const)('attempt %i of a call has a click: %s', async ([attempt, expected]) => {
    const caller = { origin: ORIGIN, tabId: pageTab.id, documentId: 'document' }
    const request = {
      id: 1,
      attempt,
      method: 'northbound_getAccessToken',
      params: { interactive: 'ifNeeded' },
      userActivation: true,
      visible: true,
    }
    const answer = await handlePageRequest(caller, crypto.randomUUID(), request, () => {})
    expect(answer).toMatchObject({ result: expected })
  })

  test('does not open where the tab of the page is gone', async () => {
    const gone = flowOf({ pageTabId: 77 })
    expect(await startFlow(gone, 'ask')).toMatchObject({ error: INTERACTION_REQUIRED })
  })
})
