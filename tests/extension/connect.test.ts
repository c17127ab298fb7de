/**
 * Who may have a window opened, of several that ask at once.
 *
 * Seen to fail when a call that may open none takes the origin while it is told so: the other is told
 * that a window is open, and none is.
 */

import 'fake-indexeddb/auto'
import { seen } from './fake-browser.ts'

vi.mock('webextension-polyfill', () => import('./fake-browser.ts'))
vi.mock('../../extension/background/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => ({ ...OPERATOR, applications: [APPLICATION] }),
}))

import { expect, test, vi } from 'vitest'
import { connect } from '../../extension/background/connect.ts'
import type { Call } from '../../extension/background/page-router.ts'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { ISSUER, OPERATOR, ORIGIN } from './records.ts'

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
    requestId: crypto.randomUUID(),
    userActivation: true,
    visible: true,
    signal: new AbortController().signal,
    deliver: () => {},
    ...members,
  }
}

test('X01: a tab in the background that asks first does not keep the window from the one in front', async () => {
  const page = new AbortController()
  const behind = connect(callOf({ visible: false }), WISH).catch((error) => error)
  const inFront = connect(callOf({ signal: page.signal }), WISH).catch((error) => error)
  await vi.waitFor(() => expect(seen.tabs.some(({ url }) => url.includes('consent'))).toBe(true))
  expect([ERROR_CODE.interactionRequired, ERROR_CODE.alreadyPending]).toContain((await behind).code)

  const later = connect(callOf({ visible: false }), WISH)
  await expect(later).rejects.toMatchObject({ code: ERROR_CODE.alreadyPending })
  page.abort()
  await inFront
})
