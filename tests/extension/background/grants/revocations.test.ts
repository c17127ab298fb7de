/**
 * Tests that every revocation is sent to the server, with retries, and that a final failure is in the log.
 *
 * Seen to fail when only `network_error` and `timeout` are retried, when `Retry-After` is ignored, when an
 * error response is not logged, when the revocations of a removed operator are dropped, and when the core knows a refusal
 * by the JSON of its body alone (H10).
 */

import 'fake-indexeddb/auto'
import { alarm } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type {
  NorthkeyErrorCode,
  RevokeToken,
  ServerMetadata,
} from '../../../../shared/core/index.ts'
import { ISSUER, OPERATOR, ORIGIN } from '../../support/records.ts'

const { server, operators } = vi.hoisted(() => ({
  server: vi.fn<(request: RevokeToken) => Promise<void>>(),
  operators: { isKnown: true },
}))

vi.mock('../../../../shared/core/index.ts', async (original) => ({
  ...(await original<typeof import('../../../../shared/core/index.ts')>()),
  revokeToken: server,
}))
vi.mock('../../../../extension/background/operators/operators.ts', () => ({
  findOperator: async () => (operators.isKnown ? OPERATOR : undefined),
}))

import {
  revokeTokens,
  sendDueRevocations,
} from '../../../../extension/background/grants/revocations.ts'
import { createEffects } from '../../../../extension/background/platform/effects.ts'
import { log } from '../../../../extension/background/platform/log.ts'
import { NorthkeyError } from '../../../../shared/core/index.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const MINUTE_MS = 60_000
const metadata = { issuer: ISSUER } as ServerMetadata
const owner = { issuer: ISSUER, origin: ORIGIN, clientId: 'client' }
const revoke = () => revokeTokens(owner, { metadata, refreshToken: 'R', accessTokens: ['A'] })

const failWith = (
  code: NorthkeyErrorCode,
  more: { error?: string; retryAfterSeconds?: number } = {},
) => server.mockRejectedValueOnce(new NorthkeyError(code, 'a sentence', more))

beforeEach(async () => {
  alarm.when = undefined
  operators.isKnown = true
  server.mockReset().mockResolvedValue()
  await log.clear()
})
afterEach(async () => {
  // Sends the remaining revocations, so that the next test starts without any.
  server.mockReset().mockResolvedValue()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 48 * 60 * MINUTE_MS })
  await sendDueRevocations()
  vi.useRealTimers()
})

/** Moves the clock to the time of the alarm. */
function fireAlarm(): void {
  const now = (alarm.when ?? Number.NaN) + 1
  vi.useFakeTimers({ toFake: ['Date'], now })
  alarm.when = undefined
}

/** Sends a revocation by the core to a server with this answer, and once more at the alarm. */
async function revokeAtServer(status: number, body: string) {
  const { revokeToken } = await vi.importActual<typeof import('../../../../shared/core/index.ts')>(
    '../../../../shared/core/index.ts',
  )
  server.mockImplementation((request) => revokeToken(request, createEffects(new Set([ISSUER]))))
  const request = vi.fn(async () => new Response(body, { status }))
  vi.stubGlobal('fetch', request)
  onTestFinished(() => void vi.unstubAllGlobals())
  const metadata = { issuer: ISSUER, revocation_endpoint: `${ISSUER}/revoke` } as ServerMetadata
  const isInformed = await revokeTokens(owner, { metadata, refreshToken: 'R', accessTokens: [] })
  const requests = request.mock.calls.length
  fireAlarm()
  await sendDueRevocations()
  return {
    sent: { isInformed, requests, later: request.mock.calls.length },
    log: await outcomes(),
  }
}

const outcomes = async () => (await log.read()).map(({ outcome }) => outcome)

describe('a revocation', () => {
  test.each<NorthkeyErrorCode>(['network_error', 'timeout', 'rate_limited', 'invalid_response'])(
    'RFC 7009 section 2.2.1: that failed with %s is stored and sent again',
    async (code) => {
      failWith(code)
      expect(await revoke()).toBe(false)
      expect(server).toHaveBeenCalledTimes(1)
      await sendDueRevocations()
      expect(server).toHaveBeenCalledTimes(1)
      fireAlarm()
      await sendDueRevocations()
      expect(server).toHaveBeenCalledTimes(2)
      expect(server.mock.lastCall?.[0]).toMatchObject({ token: 'R', clientId: 'client' })
      await sendDueRevocations()
      expect(server).toHaveBeenCalledTimes(2)
      expect(await outcomes()).toEqual([])
    },
  )

  test('is not retried before the time of Retry-After', async () => {
    failWith('rate_limited', { retryAfterSeconds: 600 })
    const before = Date.now()
    expect(await revoke()).toBe(false)
    alarm.when = undefined
    await sendDueRevocations()
    expect(alarm.when).toBeGreaterThanOrEqual(before + 10 * MINUTE_MS)
  })

  test.each<[NorthkeyErrorCode, string | undefined, string]>([
    ['authorization_server_error', 'invalid_client', 'invalid_client'],
    ['unsupported_by_server', undefined, 'unsupported_by_server'],
  ])(
    'that the server answers with %s %s is not retried, and the log contains the error',
    async (code, error, word) => {
      failWith(code, error === undefined ? {} : { error })
      expect(await revoke()).toBe(true)
      fireAlarm()
      await sendDueRevocations()
      expect(server).toHaveBeenCalledTimes(1)
      expect(await outcomes()).toEqual([`the operator was not told: ${word}`])
    },
  )

  test.each([
    [400, '<p>no</p>'],
    [401, ''],
    [403, '<p>no</p>'],
    [404, ''],
  ])(
    'H10: that the server refuses with status %i and the body %j is not retried: nothing is pending',
    async (status, body) => {
      const { sent, log } = await revokeAtServer(status, body)
      expect(sent).toEqual({ isInformed: true, requests: 1, later: 1 })
      expect(log).toEqual([`the operator was not told: status ${status}`])
    },
  )

  test.each([408, 429, 500, 503])(
    'H10: that the server answers with status %i is pending, and sent again',
    async (status) => {
      const { sent, log } = await revokeAtServer(status, '{"error":"invalid_client"}')
      expect(sent).toEqual({ isInformed: false, requests: 1, later: 2 })
      expect(log).toEqual([])
    },
  )

  test('is retried after the user has removed the operator', async () => {
    failWith('network_error')
    expect(await revoke()).toBe(false)
    operators.isKnown = false
    fireAlarm()
    await sendDueRevocations()
    expect(server).toHaveBeenCalledTimes(2)
    expect(server.mock.lastCall?.[0]).toMatchObject({ server: OPERATOR, token: 'R' })
  })

  test('that a stopped worker left in flight is sent again at the alarm', async () => {
    server.mockReturnValueOnce(new Promise(() => {}))
    void revoke()
    await vi.waitFor(() => expect(server).toHaveBeenCalledTimes(1), WITHIN_MS)
    fireAlarm()
    await sendDueRevocations()
    expect(server).toHaveBeenCalledTimes(2)
  })

  test('ends after twenty retries, and the log contains the error', async () => {
    server.mockRejectedValue(new NorthkeyError('network_error', 'a sentence'))
    expect(await revoke()).toBe(false)
    for (let attempts = 1; attempts < 30; attempts++) {
      if (alarm.when !== undefined) fireAlarm()
      await sendDueRevocations()
    }
    expect(server).toHaveBeenCalledTimes(21)
    expect(await outcomes()).toEqual(['the operator was not told: network_error'])
  })
})
