/**
 * Tests sign-in windows whose redirect URI the browser does not load, because the administrator's list of allowed sites
 * lacks its host. Chromium then shows its error page at that address and requests nothing; the fake browser does
 * the same. `tests/browser/allow-list-policy.test.ts` has the case in Chromium.
 *
 * Seen to fail before there was a look at the tab (the call waited for the deadline of the flow), and when the arrival of
 * a response is not awaited first.
 */

import 'fake-indexeddb/auto'
import { beforeEach, expect, test, vi } from 'vitest'
import type { AwaitingAuthorizationResponse } from '../../../../shared/core/index.ts'
import { seen, showInTab, updateListeners } from '../../support/fake-browser.ts'
import { A, flowBase, METADATA, OPERATOR, passed, tokenSet } from '../../support/operator.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/limits.ts', async (original) => ({
  ...(await original<object>()),
  RESPONSE_ARRIVAL_TIMEOUT_MS: 200,
}))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => OPERATOR,
  findApplication: () => ({ clientId: 'client', name: 'Application', origins: [] }),
}))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  discover: async () => METADATA,
  receiveAuthorizationResponse: (flow: AwaitingAuthorizationResponse) => passed(flow),
  redeemCode: async () => tokenSet(),
}))

const { handleRedirect, handleTabClosed, resumeFlowOfCall, startFlow } = await import(
  '../../../../extension/background/authorization/authorization-flow.ts'
)
const { redirectBase } = await import('../../../../extension/background/platform/redirect-base.ts')

const RESPONSE = `${redirectBase}path?code=c`
const BLOCKED = {
  error: {
    code: 4901,
    message: expect.stringContaining(new URL(redirectBase).host),
    data: { error: 'redirect_blocked' },
  },
}

/** Starts a flow up to its window at the operator. */
async function openSignIn() {
  const base = flowBase({ silentFirst: false })
  const outcome = startFlow(base, { apis: [A], lifetime: 'day' })
  const tab = await vi.waitFor(() => {
    const found = seen.tabs.find(({ url }) => url.includes('/auth?'))
    if (!found) throw new Error('no window at the operator')
    return found
  }, WITHIN_MS)
  return { ...base, tab, outcome }
}

beforeEach(() => {
  seen.tabs = []
})

test('H18: the call ends with a typed error at once, without a secret, and the window closes', async () => {
  const { outcome, tab } = await openSignIn()
  showInTab(tab.id, RESPONSE)
  const settled = await outcome
  expect(settled).toMatchObject(BLOCKED)
  expect(JSON.stringify(settled)).not.toContain('code=c')
  await vi.waitFor(() => expect(seen.closed).toContain(tab.id), WITHIN_MS)
})

test('H18: a response that has arrived is used, although the window shows the redirect URI', async () => {
  const { outcome, tab } = await openSignIn()
  const handling = handleRedirect(tab.id, RESPONSE)
  showInTab(tab.id, redirectBase)
  await handling
  expect(await outcome).toMatchObject({ result: { issuer: OPERATOR.issuer } })
})

test('H18: another page in the window ends nothing', async () => {
  const { outcome, tab } = await openSignIn()
  showInTab(tab.id, 'https://operator.example/second-page')
  await handleRedirect(tab.id, RESPONSE)
  expect(await outcome).toMatchObject({ result: { issuer: OPERATOR.issuer } })
})

test('H18: a new worker watches the window that it finds', async () => {
  const { origin, requestId, tab, outcome } = await openSignIn()
  updateListeners.clear()
  const resumed = resumeFlowOfCall(origin, requestId)
  await vi.waitFor(() => expect(updateListeners.size).toBe(1), WITHIN_MS)
  showInTab(tab.id, RESPONSE)
  expect(await resumed).toMatchObject(BLOCKED)
  expect(await outcome).toMatchObject(BLOCKED)
})

test('H18: no window, no listener: an event of any tab would wake the worker', async () => {
  updateListeners.clear()
  const { tab, outcome } = await openSignIn()
  await handleTabClosed(tab.id)
  await outcome
  // The fake browser reports no closed window by itself.
  for (const id of new Set(seen.closed)) await handleTabClosed(id)
  expect(updateListeners.size).toBe(0)
})
