/**
 * Tests answers in the consent window that come too late (A11i): an approval holds for the request and the
 * operator that the window shows, and only until the flow ends.
 *
 * Seen to fail when `approve` does not compare the digest (the flow went on to the operator of the new
 * profile), when `approveFlow` does not look at the deadline, when `removeOperator` and the housekeeping
 * cancel no flow, when the digest depends on the order of members, and when the end of a site cancels the first of its flows alone.
 */

import 'fake-indexeddb/auto'
import { reportPolicyChange, seen, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'
import { startFlow } from '../../../../extension/background/authorization/authorization-flow.ts'
import {
  type FlowBase,
  flows,
} from '../../../../extension/background/authorization/flow-records.ts'
import { runHousekeeping } from '../../../../extension/background/lifecycle/startup-cleanup.ts'
import { handleScreenRequest } from '../../../../extension/background/screens/screen-router.ts'
import type { Outcome } from '../../../../shared/messages/document-channel.ts'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'
import type {
  ConsentRequest,
  ScreenMethod,
  ScreenMethods,
} from '../../../../shared/messages/screen-channel.ts'
import { flowOf, ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const WHOLE = [{ index: 0, scopes: ['qos:create'] }]

const send = <M extends ScreenMethod>(method: M, params: ScreenMethods[M]['params']) =>
  handleScreenRequest({ type: 'screenRequest', method, params }) as Promise<
    ScreenMethods[M]['result']
  >

function setPolicy(...operators: OperatorProfile[]): void {
  vi.spyOn(storage.managed, 'get').mockResolvedValue({ operators })
  reportPolicyChange()
}

interface PendingFlow {
  flow: FlowBase
  outcome: Promise<Outcome>
  request: ConsentRequest
}

/** Starts a flow and waits until its consent window has its request. */
async function openConsent(members: Partial<FlowBase> = {}): Promise<PendingFlow> {
  // Each window is of a click of its own.
  await storage.session.remove('openedWindows')
  const flow = flowOf(members)
  const { flowId } = flow
  const outcome = startFlow(flow, 'ask')
  const request = await vi.waitFor(async () => {
    const shown = await send('getConsentRequest', { flowId })
    if (!shown) throw new Error('no request yet')
    return shown
  }, WITHIN_MS)
  // The metadata were read before the window opened.
  network.mockClear()
  return { flow, outcome, request }
}

const allow = ({ flow: { flowId }, request: { digest } }: PendingFlow) =>
  send('approve', { flowId, digest, apis: WHOLE, lifetime: 'day' })

const codeOf = async (outcome: Promise<Outcome>) => {
  const settled = await outcome
  return 'error' in settled ? settled.error.code : 'granted'
}

let network: MockInstance<typeof fetch>
beforeEach(() => {
  seen.tabs = []
  network = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('no network'))
  setPolicy(OPERATOR)
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await flows.sweep()
})

const requestsToOperator = () =>
  network.mock.calls.filter(([url]) => String(url).startsWith(ISSUER)).length

test('an approval in time goes on to the operator', async () => {
  const pending = await openConsent()
  await allow(pending)
  await pending.outcome
  expect(requestsToOperator()).toBeGreaterThan(0)
})

test('A11i: an approval for an operator whose profile has changed since ends the flow', async () => {
  const pending = await openConsent()
  const endpoint = `${ISSUER}/another-token-endpoint`
  setPolicy({ ...OPERATOR, apis: OPERATOR.apis.map((api) => ({ ...api, description: endpoint })) })
  await allow(pending)
  expect(await codeOf(pending.outcome)).toBe(ERROR_CODE.unreachable)
  expect(requestsToOperator()).toBe(0)
  expect(seen.tabs).toEqual([])
})

test('an approval holds where the profile has the same members in another order', async () => {
  const pending = await openConsent()
  // A new worker reads the profile from `storage.session`, whose members Chromium sorts.
  setPolicy(Object.fromEntries(Object.entries(OPERATOR).reverse()) as unknown as OperatorProfile)
  await allow(pending)
  await pending.outcome
  expect(requestsToOperator()).toBeGreaterThan(0)
})

test('A11i: an approval after the deadline ends the flow, also if the alarm is late', async () => {
  const pending = await openConsent()
  vi.useFakeTimers({ toFake: ['Date'], now: pending.flow.deadlineMs + 1 })
  await allow(pending)
  const outcome = await pending.outcome
  expect(outcome).toMatchObject({ error: { data: { error: 'timeout' } } })
  expect(requestsToOperator()).toBe(0)
})

test('A11i: an approval after the operator was removed finds no flow', async () => {
  const pending = await openConsent()
  await send('removeOperator', { issuer: ISSUER })
  expect(await codeOf(pending.outcome)).toBe(ERROR_CODE.accessDenied)
  await allow(pending)
  expect(await flows.all()).toEqual([])
  expect(requestsToOperator()).toBe(0)
})

test('A11i: a flow ends with the operator that the policy no longer names', async () => {
  const pending = await openConsent()
  setPolicy()
  await runHousekeeping()
  expect(await codeOf(pending.outcome)).toBe(ERROR_CODE.accessDenied)
  expect(seen.tabs).toEqual([])
})

test('A11i: each flow of a site ends with the site', async () => {
  await send('useSite', { origin: ORIGIN })
  const pending = [await openConsent(), await openConsent({ renews: 'grant' })]
  await send('stopSite', { origin: ORIGIN })
  const codes = await Promise.all(pending.map(({ outcome }) => codeOf(outcome)))
  expect(codes).toEqual([ERROR_CODE.accessDenied, ERROR_CODE.accessDenied])
})
