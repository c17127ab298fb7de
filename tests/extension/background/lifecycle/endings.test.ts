/**
 * Tests that many grants end at the same time, while the servers of all operators hang: by one call of a page, and by
 * permissions that the user has withdrawn in the browser.
 *
 * Seen to fail when the grants, or the sites, end one after the other: the second stays until the server of the first
 * has answered.
 */

import 'fake-indexeddb/auto'
import fake from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { beforeEach, expect, test, vi } from 'vitest'
import { authorized, OPERATOR } from '../../support/operator.ts'
import { grantOf } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  revokeToken: () => new Promise<never>(() => {}),
}))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async (issuer: string) => ({ ...OPERATOR, issuer }),
}))

import { listAllGrants, saveGrant } from '../../../../extension/background/grants/grants.ts'
import { saveTokens } from '../../../../extension/background/grants/token-records.ts'
import { handlePermissionRemoved } from '../../../../extension/background/lifecycle/site-changes.ts'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import { revoke } from '../../../../extension/background/methods/revoke.ts'
import { addSite, getSiteOrigins } from '../../../../extension/background/sites/sites.ts'

const SITES = ['https://one.example', 'https://two.example', 'https://three.example']

async function saveGrantAt(origin: string): Promise<void> {
  const grant = grantOf({ origin })
  await saveGrant(grant)
  await saveTokens(grant, 'key', 'slot', authorized({ refreshToken: grant.grantId }))
}

const contains = vi.spyOn(fake.permissions, 'contains')
beforeEach(() => void contains.mockResolvedValue(true))

test('a page that revokes all of its grants waits for no server before the next grant ends', async () => {
  const [origin = ''] = SITES
  for (const _ of SITES) await saveGrantAt(origin)
  expect(await listAllGrants()).toHaveLength(SITES.length)
  void revoke({ origin } as Call, {})
  await vi.waitFor(async () => expect(await listAllGrants()).toEqual([]), WITHIN_MS)
})

test('sites whose permissions were withdrawn together end together', async () => {
  for (const origin of SITES) {
    await addSite(origin)
    await saveGrantAt(origin)
  }
  expect(await getSiteOrigins()).toEqual(new Set(SITES))
  contains.mockResolvedValue(false)
  void handlePermissionRemoved()
  await vi.waitFor(async () => {
    expect(await getSiteOrigins()).toEqual(new Set())
    expect(await listAllGrants()).toEqual([])
  }, WITHIN_MS)
})
