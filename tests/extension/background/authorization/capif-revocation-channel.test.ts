/**
 * Channels to CAPIF cores: one for each client with a grant, reconnected with an exponential back-off.
 *
 * Seen to fail when a channel is opened at the sign-in alone (no channel after a restart), when a channel
 * without a grant is deleted while its user signs in, and when the back-off does not grow.
 */

import 'fake-indexeddb/auto'
import { alarm } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CapifNegotiation } from '../../../../shared/profiles/capif-security.ts'
import { flowOf, grantOf, OPERATOR } from '../../support/records.ts'

const { negotiate } = vi.hoisted(() => ({ negotiate: vi.fn<() => Promise<unknown>>() }))
vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<typeof import('../../../../shared/core/index.ts')>()),
  negotiateSecurity: negotiate,
}))
vi.mock('../../../../extension/background/operators/operators.ts', () => ({
  findOperator: async () => ({ ...OPERATOR, profile: 'capif' }),
}))

import {
  listenForRevocations,
  openChannel,
} from '../../../../extension/background/authorization/capif-revocation-channel.ts'
import { flows } from '../../../../extension/background/authorization/flow-records.ts'
import {
  deleteGrant,
  type GrantRecord,
  saveGrant,
} from '../../../../extension/background/grants/grants.ts'

const OPERATOR_OF_CORE = { ...OPERATOR, profile: 'capif' as const }
const MINUTE_MS = 60_000
const URI = 'wss://core.example/notifications'

class FakeSocket {
  static readonly OPEN = 1
  static all: FakeSocket[] = []
  readyState = 1
  onopen?: () => void
  onclose?: () => void
  constructor(readonly url: string) {
    FakeSocket.all.push(this)
  }
  send(): void {}
  close(): void {
    this.onclose?.()
  }
}

let grant: GrantRecord

beforeEach(() => {
  Object.assign(globalThis, { WebSocket: FakeSocket })
  FakeSocket.all = []
  alarm.when = undefined
  negotiate.mockReset().mockResolvedValue({ websocketUri: URI } as CapifNegotiation)
  grant = grantOf()
})
afterEach(async () => {
  vi.useRealTimers()
  await deleteGrant(grant)
  await listened()
})

/** Waits for the sockets. The second call queues behind the work for which the first does not wait. */
async function listened(): Promise<FakeSocket[]> {
  await listenForRevocations()
  await listenForRevocations()
  return FakeSocket.all
}

describe('a CAPIF core', () => {
  test('is connected for a grant of an earlier browser session, after one negotiation', async () => {
    await saveGrant(grant)
    expect(await listened()).toMatchObject([{ url: URI }])
    await listened()
    expect(FakeSocket.all).toHaveLength(1)
    expect(negotiate).toHaveBeenCalledTimes(1)
  })

  test('without notifications is negotiated with once and not connected', async () => {
    negotiate.mockResolvedValue(undefined)
    await saveGrant(grant)
    await listened()
    expect(await listened()).toEqual([])
    expect(negotiate).toHaveBeenCalledTimes(1)
  })

  test('keeps its channel without a grant while the user signs in', async () => {
    const flow = flowOf()
    await flows.set(flow.flowId, { ...flow, status: 'awaitingConsent' })
    await openChannel(OPERATOR_OF_CORE, grant.clientId, grant.apis)
    await listened()
    await saveGrant(grant)
    await flows.delete(flow.flowId)
    expect(await listened()).toMatchObject([{ url: URI }])
    expect(negotiate).toHaveBeenCalledTimes(1)
  })

  test('that closes its connections is reconnected with an exponential back-off', async () => {
    await saveGrant(grant)
    await listened()
    const backoffs = []
    for (let times = 1; times <= 3; times++) {
      const closedAt = Date.now()
      FakeSocket.all.at(-1)?.close()
      await listened()
      expect(FakeSocket.all).toHaveLength(times)
      backoffs.push(Math.round(((alarm.when ?? 0) - closedAt) / MINUTE_MS / 0.5) * 0.5)
      vi.useFakeTimers({ toFake: ['Date'], now: (alarm.when ?? 0) + 1 })
      alarm.when = undefined
      await listened()
      expect(FakeSocket.all).toHaveLength(times + 1)
    }
    expect(backoffs).toEqual([0.5, 1, 2])
    FakeSocket.all.at(-1)?.onopen?.()
    const closedAt = Date.now()
    FakeSocket.all.at(-1)?.close()
    await listened()
    expect((alarm.when ?? 0) - closedAt).toBeLessThan(MINUTE_MS)
  })

  test('that cannot be reached is negotiated with again after the back-off', async () => {
    negotiate.mockRejectedValueOnce(new Error('down'))
    await saveGrant(grant)
    expect(await listened()).toEqual([])
    await listened()
    expect(negotiate).toHaveBeenCalledTimes(1)
    vi.useFakeTimers({ toFake: ['Date'], now: (alarm.when ?? 0) + 1 })
    expect(await listened()).toHaveLength(1)
    expect(negotiate).toHaveBeenCalledTimes(2)
  })
})
