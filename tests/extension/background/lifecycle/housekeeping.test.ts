/**
 * Tests the housekeeping of several operators, of which one hangs at every request.
 *
 * Seen to fail when flows, grants or revocations are handled one after the other over all operators, and when one
 * kind of work waits for another.
 */

import 'fake-indexeddb/auto'
import '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { expect, test, vi } from 'vitest'
import type { RevokeToken } from '../../../../shared/core/index.ts'
import { authorized, OPERATOR } from '../../support/operator.ts'
import { flowOf, grantOf } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const HANGING = 'https://hanging.example'
const QUICK = 'https://quick.example'
const COUNT = 8

const { sent, server } = vi.hoisted(() => ({
  sent: [] as string[],
  server: { isDown: true },
}))

vi.mock('../../../../shared/core/index.ts', async (original) => {
  const core = await original<typeof import('../../../../shared/core/index.ts')>()
  const hang = () => new Promise<never>(() => {})
  return {
    ...core,
    discover: hang,
    revokeToken: async ({ server: { issuer }, token }: RevokeToken) => {
      if (server.isDown) throw new core.NorthkeyError('network_error', 'down')
      if (issuer === HANGING) await hang()
      sent.push(token)
    },
  }
})
vi.mock('../../../../extension/background/operators/operators.ts', async (original) => ({
  ...(await original<object>()),
  findOperator: async (issuer: string) => ({ ...OPERATOR, issuer, onboarding: 'dynamic' }),
}))

import { flows } from '../../../../extension/background/authorization/flow-records.ts'
import { saveGrant } from '../../../../extension/background/grants/grants.ts'
import { revokeTokens } from '../../../../extension/background/grants/revocations.ts'
import { saveTokens } from '../../../../extension/background/grants/token-records.ts'
import { runHousekeeping } from '../../../../extension/background/lifecycle/startup-cleanup.ts'

/** Several records of both operators: their order in the database is random. */
const names = Array.from({ length: COUNT }, (_, index) => `${index}`)
const issuerOf = (name: string) => (Number(name) % 2 === 0 ? HANGING : QUICK)
const quickNames = names.filter((name) => issuerOf(name) === QUICK)

test('A08: an operator that hangs delays no housekeeping for another operator', async () => {
  const { metadata } = authorized()
  const origin = 'https://app.example'
  const now = Date.now()
  for (const name of names) {
    const issuer = issuerOf(name)
    await revokeTokens(
      { issuer, origin, clientId: 'client' },
      { metadata, refreshToken: `retry ${name}`, accessTokens: [] },
    )
    const expired = grantOf({ issuer, grantId: `expired ${name}`, expiresAt: now + 60_000 })
    await saveGrant(expired)
    await saveTokens(expired, 'key', 'slot', authorized({ refreshToken: `expired ${name}` }))
    const withdrawn = grantOf({
      issuer,
      grantId: `withdrawn ${name}`,
      lifetime: 'month',
      apis: [{ resource: 'https://gone.example/', scope: 'a' }],
      expiresAt: now + 30 * 86_400_000,
    })
    await saveGrant(withdrawn)
    await saveTokens(withdrawn, 'key', 'slot', authorized({ refreshToken: `withdrawn ${name}` }))
    const flow = flowOf({ flowId: name })
    const request = { ...flow.request, issuer }
    const base = { ...flow, request, deadlineMs: now + 60_000 + (issuer === HANGING ? 1e9 : 0) }
    await flows.set(
      name,
      issuer === HANGING
        ? {
            ...base,
            status: 'preparing',
            approval: { apis: request.apis, lifetime: 'day' },
            isConsented: true,
          }
        : { ...base, status: 'awaitingConsent', tabId: 1 },
    )
  }
  vi.useFakeTimers({ toFake: ['Date'], now: now + 600_000 })
  server.isDown = false
  // The hanging operator never answers, so this promise stays pending.
  void runHousekeeping()
  await vi.waitFor(async () => {
    expect([...sent].sort()).toEqual(
      ['expired', 'retry', 'withdrawn'].flatMap((kind) =>
        quickNames.map((name) => `${kind} ${name}`),
      ),
    )
    const settled = (await flows.all()).filter(({ status }) => status === 'settled')
    expect(settled.map(({ flowId }) => flowId).sort()).toEqual(quickNames)
  }, WITHIN_MS)
  vi.useRealTimers()
})
