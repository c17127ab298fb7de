/**
 * Flows whose authorization response arrives while the browser starts the next worker: after the call that the
 * page sends again, or not at all. The operator is a double that answers as the test defines; the stores are
 * real, on an in-memory IndexedDB. `tests/browser/kill-points.test.ts` has the same case in a browser.
 *
 * Seen to fail when `resumeFlow` fails a flow at the waiting picture or at the redirect URI at once (a response
 * that arrives a moment later), when it does not look again at a window that was loading (the call is never
 * answered), and when a consent window without an address counts as none (L06).
 */

import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { AwaitingAuthorizationResponse } from '../../../../shared/core/index.ts'
import { seen } from '../../support/fake-browser.ts'
import { A, flowBase, METADATA, OPERATOR, passed, tokenSet } from '../../support/operator.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/limits.ts', async (original) => ({
  ...(await original<object>()),
  NAVIGATION_POLL_INTERVAL_MS: 5,
  RESPONSE_ARRIVAL_TIMEOUT_MS: 500,
  WINDOW_ADDRESS_TIMEOUT_MS: 500,
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

const { handleRedirect, resumeFlowOfCall, startFlow } = await import(
  '../../../../extension/background/authorization/authorization-flow.ts'
)
const { flows } = await import('../../../../extension/background/authorization/flow-records.ts')
const { redirectBase } = await import('../../../../extension/background/platform/redirect-base.ts')

const RESPONSE = `${redirectBase}?code=c`

/** Starts a flow up to its window at the operator, and then shows another state of that window. */
async function leaveFlow(window: { url?: (flowId: string) => string; status?: 'loading' }) {
  const base = flowBase({ silentFirst: false })
  void startFlow(base, { apis: [A], lifetime: 'day' })
  const tab = await vi.waitFor(() => {
    const found = seen.tabs.find(({ url }) => url.includes('/auth?'))
    if (!found) throw new Error('no window at the operator')
    return found
  }, WITHIN_MS)
  if (window.url) tab.url = window.url(base.flowId)
  if (window.status) tab.status = window.status
  return { ...base, tab }
}

const atWaitingPicture = (flowId: string) => `chrome-extension://northkey/icons/128.png#${flowId}`
const stranded: [shown: string, url: (flowId: string) => string][] = [
  ['waiting picture (Firefox)', atWaitingPicture],
  ['redirect URI without its query (Chromium)', () => redirectBase],
]

/** Resumes a flow, and returns its outcome and the state that the window had when it was read. */
async function resume({ origin, requestId, tab }: Awaited<ReturnType<typeof leaveFlow>>) {
  const { default: browser } = await import('../../support/fake-browser.ts')
  const read = vi.spyOn(browser.tabs, 'get')
  const outcome = resumeFlowOfCall(origin, requestId)
  await vi.waitFor(() => expect(read).toHaveBeenCalledWith(tab.id), WITHIN_MS)
  read.mockRestore()
  return { outcome }
}

beforeEach(() => {
  seen.tabs = []
})

describe('a flow that is resumed while its window shows the', () => {
  test.each(stranded)('%s: a response that arrives a moment later is used', async (_, url) => {
    const flow = await leaveFlow({ url })
    const { outcome } = await resume(flow)
    await handleRedirect(flow.tab.id, RESPONSE)
    expect(await outcome).toMatchObject({ result: { issuer: OPERATOR.issuer } })
  })

  test.each(stranded)('%s: a response that never arrives ends it', async (_, url) => {
    const { outcome } = await resume(await leaveFlow({ url }))
    expect(await outcome).toMatchObject({ error: { data: { error: 'network_error' } } })
  })
})

describe('a flow that is resumed while its window loads', () => {
  test('ends, if the window was on its way to a response that never arrives', async () => {
    const flow = await leaveFlow({ url: atWaitingPicture, status: 'loading' })
    const { outcome } = await resume(flow)
    delete flow.tab.status
    expect(await outcome).toMatchObject({ error: { data: { error: 'network_error' } } })
  })

  test('waits for the user, if the window was on its way to a page of the operator', async () => {
    const flow = await leaveFlow({ url: atWaitingPicture, status: 'loading' })
    const { outcome } = await resume(flow)
    flow.tab.url = 'https://operator.example/sign-in'
    delete flow.tab.status
    // Barrier: the step of a later resume runs after the step of the window that has loaded.
    const again = await resume(flow)
    expect(await flows.get(flow.flowId)).toMatchObject({ status: 'awaitingAuthorizationResponse' })
    await handleRedirect(flow.tab.id, RESPONSE)
    expect(await outcome).toMatchObject({ result: { issuer: OPERATOR.issuer } })
    expect(await again.outcome).toEqual(await outcome)
  })
})

describe('a flow that is resumed after its consent window was opened, and before that was recorded', () => {
  /** A worker was stopped with this record. The page sends its call again. */
  async function leaveConsent() {
    const base = flowBase({ silentFirst: false })
    await flows.set(base.flowId, { ...base, status: 'awaitingConsent' })
    return { ...base, outcome: resumeFlowOfCall(base.origin, base.requestId) }
  }

  test('L06: keeps the window, whose address the browser reports a moment later', async () => {
    const { default: browser } = await import('../../support/fake-browser.ts')
    const window = await browser.tabs.create({})
    const query = vi.spyOn(browser.tabs, 'query')
    const { flowId } = await leaveConsent()
    await vi.waitFor(() => expect(query).toHaveBeenCalled(), WITHIN_MS)
    await browser.tabs.update(window.id, {
      url: `chrome-extension://northkey/ui/consent/index.html?flow=${flowId}`,
    })
    await vi.waitFor(
      async () => expect(await flows.get(flowId)).toMatchObject({ tabId: window.id }),
      WITHIN_MS,
    )
    expect(await flows.get(flowId)).toMatchObject({ status: 'awaitingConsent' })
  })

  test('L06: ends, if there is no window', async () => {
    const { outcome } = await leaveConsent()
    expect(await outcome).toMatchObject({ error: { data: { error: 'network_error' } } })
  })
})
