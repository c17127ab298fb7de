/**
 * Tests the end of a grant by the user where a step cannot be stored, and against a page that calls at that moment.
 *
 * Seen to fail when the steps follow each other: a failure to store the withdrawal of the waiver left the tokens in the
 * store and valid at the server; and a page found no grant and a waiver that still held.
 */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { afterEach, expect, test, vi } from 'vitest'
import type { RevokeToken } from '../../../../shared/core/index.ts'
import { authorized, OPERATOR } from '../../support/operator.ts'
import { grantOf } from '../../support/records.ts'

const { revoked } = vi.hoisted(() => ({ revoked: [] as string[] }))

vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  revokeToken: async ({ token }: RevokeToken) => {
    revoked.push(token)
  },
}))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async (issuer: string) => ({ ...OPERATOR, issuer }),
}))

import { endGrant } from '../../../../extension/background/grants/end-grant.ts'
import { hasGrantEnded } from '../../../../extension/background/grants/ended-grants.ts'
import { listAllGrants, saveGrant } from '../../../../extension/background/grants/grants.ts'
import { readTokens, saveTokens } from '../../../../extension/background/grants/token-records.ts'
import { isWaiverWithdrawn } from '../../../../extension/background/grants/withdrawn-waivers.ts'

async function saveGrantWithTokens() {
  const grant = grantOf()
  await saveGrant(grant)
  await saveTokens(grant, 'key', 'slot', authorized({ refreshToken: grant.grantId }))
  return grant
}

/** The name of a database begins with that of the product. */
function failWritesOf(name: string): void {
  const put = IDBObjectStore.prototype.put
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
    this: IDBObjectStore,
    ...values: Parameters<typeof put>
  ) {
    if (this.name === name) throw new DOMException('full', 'QuotaExceededError')
    return put.apply(this, values)
  })
}

afterEach(() => void vi.restoreAllMocks())

test('tokens are revoked also where the withdrawal of the waiver cannot be stored', async () => {
  const grant = await saveGrantWithTokens()
  failWritesOf('waivers')
  await expect(endGrant(grant, 'user')).rejects.toMatchObject({
    data: { error: 'storage_unavailable' },
  })
  expect(revoked).toEqual([grant.grantId])
  expect(await readTokens(grant.grantId)).toBeUndefined()
  expect(await listAllGrants()).toEqual([])
})

test('a page that calls when a grant ends finds its waiver withdrawn', async () => {
  const grant = await saveGrantWithTokens()
  const ending = endGrant(grant, 'user')
  expect(hasGrantEnded(grant.grantId)).toBe(true)
  expect(await isWaiverWithdrawn(grant.issuer, grant.origin)).toBe(true)
  expect(await ending).toBe(true)
})
