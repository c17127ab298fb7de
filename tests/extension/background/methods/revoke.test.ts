/**
 * `northbound_revoke` of all grants at an operator that does not answer: each grant ends at once.
 *
 * Seen to fail when a grant ends only after the server has answered for the grant before it.
 */

import 'fake-indexeddb/auto'
import { expect, test, vi } from 'vitest'
import type { Call } from '../../../../extension/background/methods/page-call.ts'
import { A, authorized, grantRecord, OPERATOR } from '../../support/operator.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const server = vi.hoisted(() => ({ answers: [] as (() => void)[] }))

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async () => OPERATOR,
}))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<object>()),
  revokeToken: () => new Promise<void>((resolve) => server.answers.push(resolve)),
}))

const { listGrants, saveGrant } = await import('../../../../extension/background/grants/grants.ts')
const { readTokens, saveTokens } = await import(
  '../../../../extension/background/grants/token-records.ts'
)
const { revoke } = await import('../../../../extension/background/methods/revoke.ts')

test('all grants of the origin end at once, and none waits for the server of another', async () => {
  const first = grantRecord()
  const { origin } = first
  const grants = [first, grantRecord({ origin }), grantRecord({ origin })]
  for (const grant of grants) {
    await saveGrant(grant)
    await saveTokens(grant, grant.grantId, A.resource, authorized())
  }
  const revoking = revoke({ origin } as Call, {})
  await vi.waitFor(() => expect(server.answers).toHaveLength(3), WITHIN_MS)
  expect(await listGrants(origin)).toEqual([])
  for (const { grantId } of grants) expect(await readTokens(grantId)).toBeUndefined()
  for (const answer of server.answers) answer()
  const { revoked, pending } = await revoking
  expect(revoked.sort()).toEqual(grants.map(({ grantId }) => grantId).sort())
  expect(pending).toEqual([])
})
