/**
 * One window for simultaneous calls of `northbound_connect`.
 *
 * Seen to fail when a call that may not open a window locks the origin while it is rejected (the other
 * call gets `already_pending`, and no window is open), when `runFlow` does not check whether the call was
 * aborted, and when the flow of a replaced document counts as pending.
 */

import 'fake-indexeddb/auto'
import { seen, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => ({ ...OPERATOR, applications: [APPLICATION] }),
}))

import { beforeEach, expect, test, vi } from 'vitest'
import { flows } from '../../../../extension/background/authorization/flow-records.ts'
import { connect } from '../../../../extension/background/methods/connect.ts'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'
import { flowOf, ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const APPLICATION = { clientId: 'client', name: 'App', origins: [ORIGIN], requireConsent: true }
const CONNECT_PARAMS = {
  issuer: ISSUER,
  apis: OPERATOR.apis.map(({ resource }) => ({ resource, scope: 'qos:create' })),
}

function callOf(members: Partial<Call>): Call {
  return {
    origin: ORIGIN,
    tabId: 1,
    documentId: 'document',
    key: undefined,
    requestId: crypto.randomUUID(),
    calledAtMs: Date.now(),
    userActivation: true,
    visible: true,
    signal: new AbortController().signal,
    deliver: () => {},
    ...members,
  }
}

const windows = () => seen.tabs.filter(({ url }) => url.includes('/ui/consent/'))

beforeEach(async () => {
  seen.tabs = []
  await storage.session.clear()
})

test('X01: an earlier call of a background tab does not block the window of the foreground tab', async () => {
  const page = new AbortController()
  const background = connect(callOf({ visible: false }), CONNECT_PARAMS).catch((error) => error)
  const foreground = connect(callOf({ signal: page.signal }), CONNECT_PARAMS).catch(
    (error) => error,
  )
  await vi.waitFor(() => expect(windows()).toHaveLength(1), WITHIN_MS)
  const { code } = await background
  expect([ERROR_CODE.interactionRequired, ERROR_CODE.alreadyPending]).toContain(code)

  const later = connect(callOf({ visible: false }), CONNECT_PARAMS)
  await expect(later).rejects.toMatchObject({ code: ERROR_CODE.alreadyPending })
  page.abort()
  await foreground
})

test('X10: a call that is aborted before its window opens gets no window', async () => {
  const page = new AbortController()
  const call = connect(callOf({ signal: page.signal }), CONNECT_PARAMS)
  page.abort()
  await expect(call).rejects.toMatchObject({ code: 'aborted' })
  expect(windows()).toEqual([])
})

test('X10: a flow of a replaced document is cancelled by the next call of the same tab', async () => {
  const page = new AbortController()
  const leftFlow = flowOf({ documentId: 'replaced' })
  await flows.set(leftFlow.flowId, { ...leftFlow, status: 'awaitingConsent', tabId: 9 })
  seen.tabs = [{ id: 9, url: 'about:blank' }]
  const callOfOtherTab = connect(callOf({ tabId: 2, documentId: 'other' }), CONNECT_PARAMS)
  await expect(callOfOtherTab).rejects.toMatchObject({ code: ERROR_CODE.alreadyPending })

  const call = connect(callOf({ signal: page.signal }), CONNECT_PARAMS).catch((error) => error)
  await vi.waitFor(() => expect(windows()).toHaveLength(1), WITHIN_MS)
  expect(seen.closed).toContain(9)
  page.abort()
  await call
})
