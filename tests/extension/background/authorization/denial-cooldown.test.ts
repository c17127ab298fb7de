/**
 * What counts as a no of the user's, and for how long. @see X07 and X08 of the catalogue
 *
 * Seen to fail when only the button counts (nothing after a closed window), when a page that gives up
 * counts too, when the pause does not grow, and when two refusals at once are written as one.
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
  tabOf,
} from '../../../../extension/background/authorization/flow-records.ts'
import { handleScreenRequest } from '../../../../extension/background/screens/screen-router.ts'
import { flowOf, ISSUER, ORIGIN } from '../../support/records.ts'

const SECOND_MS = 1_000

beforeEach(async () => {
  alarm.when = undefined
  await storage.session.remove('refusals')
})
afterEach(() => {
  vi.useRealTimers()
})

/** A flow whose consent window is open. */
async function asked(): Promise<{ flow: FlowRecord; tabId: number; outcome: Promise<unknown> }> {
  const { flowId } = flowOf()
  const outcome = startFlow(flowOf({ flowId }), 'ask')
  const flow = await vi.waitFor(async () => {
    const record = await flows.get(flowId)
    if (!record || tabOf(record) === undefined) throw new Error('no window yet')
    return record
  })
  return { flow, tabId: tabOf(flow) ?? -1, outcome }
}

describe('a no is', () => {
  test('X07: the window that the user closes', async () => {
    const { tabId, outcome } = await asked()
    await handleTabClosed(tabId)
    expect(await outcome).toMatchObject({ error: { code: 4001 } })
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(true)
  })

  test('the button of the consent window', async () => {
    const { flow, outcome } = await asked()
    const params = { flowId: flow.flowId }
    await handleScreenRequest({ type: 'screenRequest', method: 'deny', params })
    expect(await outcome).toMatchObject({ error: { code: 4001 } })
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(true)
  })

  test('not a page that gives up, and not its tab that closes', async () => {
    const first = await asked()
    await cancelFlow(first.flow.flowId)
    const second = await asked()
    await handleTabClosed(second.flow.pageTabId)
    expect(await Promise.all([first.outcome, second.outcome])).toMatchObject([
      { error: { code: 4001 } },
      { error: { code: 4001 } },
    ])
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(false)
  })
})

describe('it is remembered', () => {
  /** For how many seconds after the last refusal no window opens. */
  async function pause(): Promise<number> {
    const now = Date.now()
    let seconds = 0
    for (; await isInCooldown(ORIGIN, ISSUER); seconds++)
      vi.setSystemTime(now + seconds * SECOND_MS)
    return seconds - 1
  }

  test('for seconds after a slip, for twice as long each time, for ten minutes at most', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const pauses = []
    for (let times = 0; times < 9; times++) {
      await recordDenial(ORIGIN, ISSUER)
      pauses.push(await pause())
    }
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600])
  })

  test('for this origin at this operator alone, and not after a yes', async () => {
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

  test('each of several at once, and nothing that is long past', async () => {
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

  test('no longer than that where the clock is set back', async () => {
    await recordDenial(ORIGIN, ISSUER)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 86_400 * SECOND_MS })
    expect(await isInCooldown(ORIGIN, ISSUER)).toBe(false)
  })
})
