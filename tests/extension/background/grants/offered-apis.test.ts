/**
 * Tests that a grant is limited to the APIs, applications and modes of the current profile.
 *
 * Seen to fail when the list of APIs in the grant is used instead of the profile.
 */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { OperatorProfile } from '../../../../shared/messages/operator-profile.ts'
import { grantOf, OPERATOR, ORIGIN } from '../../support/records.ts'

const { profile } = vi.hoisted(() => ({ profile: { now: undefined as unknown } }))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<typeof import('../../../../extension/background/operators/operators.ts')>()),
  findOperator: async () => profile.now,
}))

import { findTarget } from '../../../../extension/background/api-calls/call-target.ts'
import { listGrants, saveGrant } from '../../../../extension/background/grants/grants.ts'
import { endWithdrawnGrants } from '../../../../extension/background/grants/offered-apis.ts'
import { getAccessToken } from '../../../../extension/background/methods/get-access-token.ts'

const url = new URL('https://api.example/v1/sessions')
const call = {
  origin: ORIGIN,
  tabId: 1,
  documentId: 'document',
  key: undefined,
  requestId: 'request',
  calledAtMs: Date.now(),
  userActivation: true,
  visible: true,
  signal: new AbortController().signal,
  deliver: () => {},
}
const changes: [what: string, Partial<OperatorProfile>][] = [
  ['the application', { applications: [] }],
  ['the mode', { modes: ['fetch'] }],
  ['the API', { apis: [{ resource: 'https://other.example', name: 'Other', scopes: [] }] }],
  ['the scope', { apis: OPERATOR.apis.map((api) => ({ ...api, scopes: [{ scope: 'other' }] })) }],
]

describe.each(changes)('without %s in the profile', (_, change) => {
  const grant = grantOf({ mode: 'token' })

  beforeEach(async () => {
    profile.now = OPERATOR
    await saveGrant(grantOf({ ...grant, grantId: crypto.randomUUID() }))
    expect(await findTarget(ORIGIN, url, undefined)).toMatchObject({ api: OPERATOR.apis[0] })
    profile.now = { ...OPERATOR, ...change }
  })

  test('a grant permits neither a call nor a token, and it ends', async () => {
    await expect(findTarget(ORIGIN, url, undefined)).rejects.toMatchObject({ code: 4100 })
    await expect(getAccessToken(call, {})).rejects.toMatchObject({ code: 4100 })
    await endWithdrawnGrants()
    expect(await listGrants(ORIGIN)).toEqual([])
  })

  test('a grant survives an unreadable profile, and permits nothing in the meantime', async () => {
    profile.now = undefined
    await endWithdrawnGrants()
    await expect(getAccessToken(call, {})).rejects.toMatchObject({ code: 4100 })
    profile.now = OPERATOR
    expect(await findTarget(ORIGIN, url, undefined)).toMatchObject({ api: OPERATOR.apis[0] })
  })
})
