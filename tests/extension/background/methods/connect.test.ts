/**
 * One window for simultaneous calls of `northbound_connect`.
 *
 * Seen to fail when a call that may not open a window locks the origin while it is rejected (the other
 * call gets `already_pending`, and no window is open), when `runFlow` does not check whether the call was
 * aborted, when the flow of a replaced document counts as pending, and when a renewal takes the APIs from the
 * grant as its call has read it. A03: when a waiver covers more than it
 * declares, holds for another application of the
 * origin, or still holds after the user ended a grant.
 */

import 'fake-indexeddb/auto'
import { seen, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => ({ ...OPERATOR, applications: applications.known }),
}))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  discover: async () => ({
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}/auth`,
    token_endpoint: `${ISSUER}/token`,
    code_challenge_methods_supported: ['S256'],
  }),
}))

import { beforeEach, describe, expect, test, vi } from 'vitest'
import { flows } from '../../../../extension/background/authorization/flow-records.ts'
import { endGrant } from '../../../../extension/background/grants/end-grant.ts'
import {
  deleteGrant,
  getSessionName,
  listGrants,
  saveGrant,
} from '../../../../extension/background/grants/grants.ts'
import { restoreWaiver } from '../../../../extension/background/grants/withdrawn-waivers.ts'
import { connect } from '../../../../extension/background/methods/connect.ts'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import { renewWithUser } from '../../../../extension/background/methods/user-interaction.ts'
import type { OperatorApplication } from '../../../../shared/messages/operator-profile.ts'
import { type ConnectParams, ERROR_CODE } from '../../../../shared/messages/page-api.ts'
import { flowOf, grantOf, ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const applications = vi.hoisted(() => ({ known: [] as OperatorApplication[] }))
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
  applications.known = [APPLICATION]
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

test('a renewal is for the APIs of the grant at that moment, not for those when its call began', async () => {
  const [api] = CONNECT_PARAMS.apis
  const former = grantOf({
    session: await getSessionName(),
    apis: [...CONNECT_PARAMS.apis, { resource: 'https://left-out.example/v1', scope: 'x' }],
  })
  await saveGrant({ ...former, apis: CONNECT_PARAMS.apis })
  const page = new AbortController()
  const renewing = renewWithUser(callOf({ signal: page.signal }), former).catch((error) => error)
  const renewal = await vi.waitFor(async () => {
    const found = (await flows.all()).find(({ renews }) => renews === former.grantId)
    if (!found) throw new Error('no flow')
    return found
  }, WITHIN_MS)
  expect(renewal).toMatchObject({ approval: { apis: [api] }, request: { apis: [api] } })
  page.abort()
  await renewing
})

describe('A03: an operator that waives the consent', () => {
  const WAIVING = {
    ...APPLICATION,
    requireConsent: false,
    consentWaiver: { apis: CONNECT_PARAMS.apis },
  }

  /** Connects, and tells which window opens first. */
  async function openedWindow(more: Partial<ConnectParams> = {}) {
    // Another window needs another click, some time later.
    await storage.session.remove('openedWindows')
    const page = new AbortController()
    const answer = connect(callOf({ signal: page.signal }), { ...CONNECT_PARAMS, ...more }).catch(
      (error) => error,
    )
    const url = await vi.waitFor(() => {
      const [tab] = seen.tabs
      if (!tab) throw new Error('no window')
      return tab.url
    }, WITHIN_MS)
    page.abort()
    await answer
    return url.includes('/ui/consent/') ? 'consent' : 'sign-in'
  }

  beforeEach(async () => {
    applications.known = [WAIVING]
    for (const grant of await listGrants(ORIGIN)) await deleteGrant(grant)
  })

  test('is not asked for the first grant that it declares, but for another mode', async () => {
    expect(await openedWindow()).toBe('sign-in')
    expect(await openedWindow({ mode: 'token' })).toBe('consent')
  })

  test('is asked where it declares nothing', async () => {
    applications.known = [{ ...APPLICATION, requireConsent: false }]
    expect(await openedWindow()).toBe('consent')
  })

  test('is asked again after the user has ended a grant, until the user approves one', async () => {
    const grant = grantOf({ session: await getSessionName() })
    await saveGrant(grant)
    await endGrant(grant, 'page')
    expect(await openedWindow()).toBe('sign-in')
    const next = grantOf({ session: await getSessionName() })
    await saveGrant(next)
    await endGrant(next, 'user')
    expect(await openedWindow()).toBe('consent')
    expect(await openedWindow()).toBe('consent')
    await restoreWaiver(ISSUER, ORIGIN)
    expect(await openedWindow()).toBe('sign-in')
  })

  test('does not waive it for another application of the same origin', async () => {
    applications.known = [WAIVING, { ...APPLICATION, clientId: 'other' }]
    expect(await openedWindow({ clientId: 'other' })).toBe('consent')
    expect(await openedWindow({ clientId: 'client' })).toBe('sign-in')
    await saveGrant(grantOf({ clientId: 'other', session: await getSessionName() }))
    expect(await openedWindow({ clientId: 'client' })).toBe('consent')
  })
})
