/**
 * The denials of a user, and the cooldown after them. @see X07 and X08 of the catalogue
 *
 * Seen to fail when only the button is a denial (no cooldown after a closed window), when an abort by the
 * page is a denial too, when the cooldown does not grow, and when two simultaneous denials are stored as one.
 */

import 'fake-indexeddb/auto'
import { alarm, storage } from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  cancelFlow,
  handleTabClosed,
  startFlow,
} from '../../../../extension/background/authorization/authorization-flow.ts'
import {
  clearDenials,
  isInCooldown,
  recordDenial,
} from '../../../../extension/background/authorization/denial-cooldown.ts'
import {
  type FlowRecord,
  flows,
  getFlowTab,
} from '../../../../extension/background/authorization/flow-records.ts'
import { handleScreenRequest } from '../../../../extension/background/screens/screen-router.ts'
import { flowOf, ISSUER, ORIGIN } from '../../support/records.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const SECOND_MS = 1_000

beforeEach(async () => {
  alarm.when = undefined
  await storage.session.clear()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Starts a flow and waits for its consent window. */
async function openConsentWindow(): Promise<{
  flow: FlowRecord
  tabId: number
  outcome: Promise<unknown>
}> {
  // Each window has a click of its own.
  await storage.session.remove('openedWindows')
  const { flowId } = flowOf()
  const outcome = startFlow(flowOf({ flowId }), 'ask')
  const flow = await vi.waitFor(async () => {
    const record = await flows.get(flowId)
    if (!record || getFlowTab(record) === undefined) throw new Error('no window yet')
    return record
  }, WITHIN_MS)
  return { flow, tabId: getFlowTab(flow) ?? -1, outcome }
}

describe('a denial is', () => {
  test('X07: a window that the user closes', async () => {
    const { tabId, outcome } = await openConsentWindow()
    await handleTabClosed(tabId)
    expect(await outcome).toMatchObject({ error: { code: 4001 } })
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(true)
  })

  test('the button of the consent window', async () => {
    const { flow, outcome } = await openConsentWindow()
    const params = { flowId: flow.flowId }
    await handleScreenRequest({ type: 'screenRequest', method: 'deny', params })
    expect(await outcome).toMatchObject({ error: { code: 4001 } })
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(true)
  })

  test('neither an abort by the page nor its closed tab', async () => {
    const first = await openConsentWindow()
    await cancelFlow(first.flow.flowId)
    const second = await openConsentWindow()
    await handleTabClosed(second.flow.pageTabId)
    expect(await Promise.all([first.outcome, second.outcome])).toMatchObject([
      { error: { code: 4001 } },
      { error: { code: 4001 } },
    ])
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(false)
  })
})

describe('the cooldown', () => {
  /** Measures the rest of the cooldown in seconds. */
  async function measureCooldown(): Promise<number> {
    const now = Date.now()
    let seconds = 0
    for (; await isInCooldown(ORIGIN, ISSUER); seconds++)
      vi.setSystemTime(now + seconds * SECOND_MS)
    return seconds - 1
  }

  test('lasts five seconds at first, doubles with each denial, and lasts ten minutes at most', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const cooldowns = []
    for (let times = 0; times < 9; times++) {
      await recordDenial(ORIGIN, ISSUER)
      cooldowns.push(await measureCooldown())
    }
    expect(cooldowns).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600])
  })

  test('is for an origin at an operator, and ends with an approval', async () => {
    await recordDenial(ORIGIN, ISSUER)
    await recordDenial(ORIGIN, ISSUER)
    expect(await isInCooldown('https://other.example', ISSUER)).toBe(false)
    expect(await isInCooldown(ORIGIN, 'https://other.example')).toBe(false)
    await clearDenials(ORIGIN, ISSUER)
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(false)
    await recordDenial(ORIGIN, ISSUER)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * SECOND_MS })
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(false)
  })

  test('counts each of several simultaneous denials, and no denial of long ago', async () => {
    await Promise.all([
      recordDenial(ORIGIN, ISSUER),
      recordDenial(ORIGIN, ISSUER),
      recordDenial('https://other.example', ISSUER),
    ])
    const before = (await storage.session.get('refusals')).refusals
    expect(before).toMatchObject({
      [`${ORIGIN} ${ISSUER}`]: { times: 2 },
      [`https://other.example ${ISSUER}`]: { times: 1 },
    })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600 * SECOND_MS })
    await recordDenial(ORIGIN, ISSUER)
    const after = (await storage.session.get('refusals')).refusals
    expect(after).toEqual({ [`${ORIGIN} ${ISSUER}`]: { times: 1, at: Date.now() } })
  })

  test('does not last longer where the clock is set back', async () => {
    await recordDenial(ORIGIN, ISSUER)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 86_400 * SECOND_MS })
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(false)
  })
})
