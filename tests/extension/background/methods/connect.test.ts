/**
 * Who may have a window opened, of several that ask at once.
 *
 * Seen to fail when a call that may open none takes the origin while it is told so (the other is told
 * that a window is open, and none is), when `runFlow` does not look whether it was given up, and when any
 * pending flow counts.
 */

import 'fake-indexeddb/auto'
import { seen } from '../../support/fake-browser.ts'

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

const APPLICATION = { clientId: 'client', name: 'App', origins: [ORIGIN], requireConsent: true }
const WISH = {
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
    userActivation: true,
    visible: true,
    signal: new AbortController().signal,
    deliver: () => {},
    ...members,
  }
}

const windows = () => seen.tabs.filter(({ url }) => url.includes('/ui/consent/'))

beforeEach(() => {
  seen.tabs = []
})

test('X01: a tab in the background that asks first does not keep the window from the one in front', async () => {
  const page = new AbortController()
  const behind = connect(callOf({ visible: false }), WISH).catch((error) => error)
  const inFront = connect(callOf({ signal: page.signal }), WISH).catch((error) => error)
  await vi.waitFor(() => expect(windows()).toHaveLength(1))
  expect([ERROR_CODE.interactionRequired, ERROR_CODE.alreadyPending]).toContain((await behind).code)

  const later = connect(callOf({ visible: false }), WISH)
  await expect(later).rejects.toMatchObject({ code: ERROR_CODE.alreadyPending })
  page.abort()
  await inFront
})

test('X10: whoever gives up before there is a window gets none', async () => {
  const page = new AbortController()
  const asked = connect(callOf({ signal: page.signal }), WISH)
  page.abort()
  await expect(asked).rejects.toMatchObject({ code: 'aborted' })
  expect(windows()).toEqual([])
})

test('X10: what a stopped worker left of a document that is gone makes room for the next one of its tab', async () => {
  const page = new AbortController()
  const left = flowOf({ documentId: 'before' })
  await flows.set(left.flowId, { ...left, status: 'awaitingConsent', tabId: 9 })
  seen.tabs = [{ id: 9, url: 'about:blank' }]
  const elsewhere = connect(callOf({ tabId: 2, documentId: 'other' }), WISH)
  await expect(elsewhere).rejects.toMatchObject({ code: ERROR_CODE.alreadyPending })

  const next = connect(callOf({ signal: page.signal }), WISH).catch((error) => error)
  await vi.waitFor(() => expect(windows()).toHaveLength(1))
  expect(seen.closed).toContain(9)
  page.abort()
  await next
})
