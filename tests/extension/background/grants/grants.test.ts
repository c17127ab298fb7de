/** Tests the store of grants: concurrent sweep and write, and the order of the grants. */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { expect, test, vi } from 'vitest'
import {
  listGrants,
  saveGrant,
  sweepGrants,
} from '../../../../extension/background/grants/grants.ts'
import { grantOf, ORIGIN } from '../../support/records.ts'

// Seen to fail when `sweepGrants` clears the store because none of the grants that it read is active.
test('a grant that is saved during a sweep is not lost', async () => {
  for (let pauses = 0; pauses < 40; pauses++) {
    const sweeping = sweepGrants()
    for (let i = 0; i < pauses; i++) await Promise.resolve()
    const grant = grantOf()
    await saveGrant(grant)
    await sweeping
    expect(await listGrants(ORIGIN)).toContainEqual(grant)
    await saveGrant({ ...grant, expiresAt: 0 })
    expect(await sweepGrants()).toMatchObject([{ grantId: grant.grantId }])
  }
})

// Seen to fail when `readOrigin` returns the records in the order of their keys.
test('the grant that the user gave last comes first', async () => {
  const origin = 'https://twice.example'
  const createdAt = Date.now()
  const grants = Array.from({ length: 8 }, (_, i) => grantOf({ origin, createdAt: createdAt + i }))
  for (const grant of grants) await saveGrant(grant)
  expect(await listGrants(origin)).toEqual(grants.reverse())
})
