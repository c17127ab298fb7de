/** Tests the store of grants: concurrent sweep and write, and the order of the grants. */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { expect, test, vi } from 'vitest'
import {
  deleteGrant,
  extendGrant,
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

// Seen to fail when `extendGrant` writes the record of its caller.
test('A02: the use of a grant extends it, and keeps the subject of a renewal in the meantime', async () => {
  const origin = 'https://extended.example'
  const before = grantOf({ origin, lifetime: 'month', expiresAt: Date.now() + 1_000 })
  await saveGrant(before)
  const renewed = { ...before, subject: 'handle of the renewal' }
  await saveGrant(renewed)
  await extendGrant(before)
  const [grant] = await listGrants(origin)
  expect(grant).toEqual({ ...renewed, expiresAt: grant?.expiresAt })
  expect(grant?.expiresAt).toBeGreaterThan(before.expiresAt)
  await deleteGrant(before)
  await expect(extendGrant(before)).rejects.toMatchObject({ data: { error: 'no_grant' } })
  expect(await listGrants(origin)).toEqual([])
})
