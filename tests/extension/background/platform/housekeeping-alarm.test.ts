/**
 * Tests the alarm for due work: the earliest time wins, and after each alarm the next one is scheduled.
 *
 * Seen to fail with the source before the commit that added it: of two concurrent times the later one was
 * set, there was no alarm for the second flow, and a grant lasted until another event woke the worker. F10: when a page
 * hears `grantsChanged` alone, and when the alarm of a development build is 30 s away.
 */

import 'fake-indexeddb/auto'
import { alarm, page, reportPolicyChange, storage, told } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  cancelFlow,
  startFlow,
} from '../../../../extension/background/authorization/authorization-flow.ts'
import { flows } from '../../../../extension/background/authorization/flow-records.ts'
import {
  computeExpiry,
  deleteGrant,
  type GrantRecord,
  listGrants,
  saveGrant,
} from '../../../../extension/background/grants/grants.ts'
import { runHousekeeping } from '../../../../extension/background/lifecycle/startup-cleanup.ts'
import { wakeAt } from '../../../../extension/background/platform/housekeeping-alarm.ts'
import { log } from '../../../../extension/background/platform/log.ts'
import { flowOf, grantOf, OPERATOR, ORIGIN } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const MINUTE_MS = 60_000

beforeEach(() => {
  alarm.when = undefined
  // The housekeeping cancels a flow whose operator is unknown.
  vi.spyOn(storage.managed, 'get').mockResolvedValue({ operators: [OPERATOR] })
  reportPolicyChange()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the alarm', () => {
  test('has the earlier of two times that are set at once', async () => {
    const now = Date.now()
    await Promise.all([wakeAt(now + 5 * MINUTE_MS), wakeAt(now + 9 * MINUTE_MS)])
    expect(alarm.when).toBe(now + 5 * MINUTE_MS)
  })

  test('F10: of a development build is not 30 s away, so that a grant of seconds ends by its own time', async () => {
    const expiresAt = computeExpiry('brief', Date.now())
    expect(expiresAt).toBeLessThan(Date.now() + 30_000)
    const grant = grantOf({ lifetime: 'brief', expiresAt })
    await saveGrant(grant)
    expect(alarm.when).toBe(expiresAt)
    await deleteGrant(grant)
  })

  test('is not postponed by a later time when it is overdue', async () => {
    const now = Date.now()
    alarm.when = now - MINUTE_MS
    await wakeAt(now + 30 * 24 * 60 * MINUTE_MS)
    expect(alarm.when).toBeLessThan(now + MINUTE_MS)
  })

  test('is set for the next flow after it has fired for another', async () => {
    await wakeAt(Date.now() + 40_000)
    const flow = flowOf()
    void startFlow(flow, 'ask')
    await vi.waitFor(
      async () => expect(await flows.get(flow.flowId)).toHaveProperty('tabId'),
      WITHIN_MS,
    )
    alarm.when = undefined
    await runHousekeeping()
    expect(alarm.when).toBe(flow.deadlineMs)
    await cancelFlow(flow.flowId)
  })
})

describe('the end of a grant', () => {
  const outcomes = async () =>
    (await log.read()).filter(({ event }) => event === 'revocation').map(({ outcome }) => outcome)

  test('F10: is the time of the alarm, which deletes the grant, logs it, and sends the event', async () => {
    const soon: GrantRecord = grantOf({ expiresAt: Date.now() + 2 * MINUTE_MS })
    const later: GrantRecord = grantOf({ expiresAt: Date.now() + 60 * MINUTE_MS })
    await saveGrant(later)
    await saveGrant(soon)
    expect(alarm.when).toBe(soon.expiresAt)

    vi.useFakeTimers({ toFake: ['Date'], now: soon.expiresAt + 1 })
    alarm.when = undefined
    told.length = 0
    await runHousekeeping()
    expect(page.url.startsWith(ORIGIN)).toBe(true)
    expect(told).toMatchObject([
      { event: 'grantExpired', payload: { grantId: soon.grantId } },
      { event: 'grantsChanged', payload: { grants: [{ grantId: later.grantId }] } },
    ])
    expect(await outcomes()).toEqual(['expired'])
    expect(await listGrants(ORIGIN)).toMatchObject([{ grantId: later.grantId }])
    expect(alarm.when).toBe(later.expiresAt)
  })
})
