/**
 * Tests the log: content, deduplication, order, bounds, and failed writes.
 *
 * Seen to fail when the timer of a count finds nothing to write and leaves a write that never ends: nothing was
 * written any more, and a screen that read the log made the worker hang.
 */

import 'fake-indexeddb/auto'
import { createStore, entries } from 'idb-keyval'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createLog, type Log, TRIM_EVERY } from '../../../../extension/background/platform/log.ts'
import { LOG_QUOTAS } from '../../../../extension/background/platform/log-quotas.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const API = { resource: 'https://api.example/qos', scope: 'qos:write', purpose: 'dpv:Security' }
const ABOUT = {
  origin: 'https://play.example',
  issuer: 'https://op.example',
  mode: 'fetch',
  apis: [API],
} as const

let count = 0
let time = 0
let store: ReturnType<typeof createStore>
let log: Log

beforeEach(() => {
  store = createStore(`log${++count}`, 'log')
  time = 1_000_000
  log = createLog(store, () => time)
})

describe('the log', () => {
  test('an entry has time, event, origin, issuer, APIs and outcome', async () => {
    log.record('grant', 'granted', ABOUT)
    expect(await log.read()).toEqual([
      { at: 1_000_000, event: 'grant', outcome: 'granted', ...ABOUT },
    ])
  })

  test('a repeated event is counted with its time, and after a minute it is a new entry', async () => {
    const recordAgain = log.record('token', 'given to the site', ABOUT)
    time += 30_000
    recordAgain()
    expect(await log.read()).toMatchObject([{ at: 1_000_000, until: 1_030_000, times: 2 }])
    time += 60_000
    recordAgain()
    expect(await log.read()).toMatchObject([{ at: 1_090_000 }, { at: 1_000_000, times: 2 }])
    await log.clear()
    recordAgain()
    expect(await log.read()).toEqual([
      { at: 1_090_000, event: 'token', outcome: 'given to the site', ...ABOUT },
    ])
  })

  test('the newest entry comes first, also within one millisecond', async () => {
    for (const outcome of ['a', 'b', 'c']) log.record('call', outcome, ABOUT)
    expect((await log.read()).map(({ outcome }) => outcome)).toEqual(['c', 'b', 'a'])
  })

  test('only the members of an entry are copied, so that no secret is stored', async () => {
    const more = { ...ABOUT, accessToken: 'secret', loginHint: 'secret' }
    const apis = [{ ...API, codeVerifier: 'secret' }]
    log.record('token', 'issued', { ...more, apis })
    await log.settled()
    expect(JSON.stringify(await entries(store))).not.toContain('secret')
  })

  test('an error of a server is limited to one short line', async () => {
    log.record('refusal', `a\n\u202eb${'x'.repeat(200)}`, ABOUT)
    const [entry] = await log.read()
    expect(entry?.outcome).toMatch(/^a\?\?bx{75}…$/)
  })

  test('equal entries within a minute are deduplicated, with a count', async () => {
    for (let i = 0; i < 1_000; i++) log.record('call', 'GET 200', ABOUT)
    time += 30_000
    log.record('call', 'GET 200', ABOUT)
    expect(await log.read()).toEqual([
      expect.objectContaining({ at: 1_000_000, until: 1_030_000, times: 1_001 }),
    ])
    time += 60_000
    log.record('call', 'GET 200', ABOUT)
    expect(await log.read()).toHaveLength(2)
  })

  test('actions of the user are not deduplicated: on, off, on and off are four entries', async () => {
    for (const outcome of ['on', 'off', 'on', 'off']) log.record('site', outcome, {})
    expect((await log.read()).map(({ outcome }) => outcome)).toEqual(['off', 'on', 'off', 'on'])
  })

  test('an origin has a quota for each class of entries, and its oldest are deleted first', async () => {
    const { perOrigin } = LOG_QUOTAS.use
    for (let i = 0; i < perOrigin + 500; i++) {
      log.record('call', `GET ${i}`, ABOUT)
      if (i % 50 === 0) await log.settled()
    }
    const kept = await log.read()
    expect(kept.length).toBeGreaterThanOrEqual(perOrigin)
    expect(kept.length).toBeLessThan(perOrigin + TRIM_EVERY)
    expect(kept[0]?.outcome).toBe(`GET ${perOrigin + 499}`)
  })

  test('a new worker continues the log, and trims it at its first write', async () => {
    const { perOrigin } = LOG_QUOTAS.use
    for (let life = 0; life < perOrigin + 300; life += 70) {
      const workerLog = createLog(store, () => time)
      time += 1
      for (let i = 0; i < 70; i++) workerLog.record('call', `GET ${life + i}`, ABOUT)
      await workerLog.settled()
    }
    const kept = await log.read()
    expect(kept.length).toBeLessThan(perOrigin + 70)
    expect(kept[0]?.outcome).toBe('GET 699')
  })

  test('entries that are recorded during a write are not lost', async () => {
    log.record('token', 'one', ABOUT)
    await Promise.resolve()
    log.record('token', 'two', ABOUT)
    await log.settled()
    expect(await entries(store)).toHaveLength(2)
  })

  test('a count that a batch in flight has written does not end the writing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const busyLog = createLog(store, () => time, 0, 2_000)
    const written = vi.spyOn(IDBObjectStore.prototype, 'put')
    const recordAgain = busyLog.record('call', 'GET 200', ABOUT)
    recordAgain()
    // The read comes after the second write: the first of the entry, the second of its count.
    do await entries(store)
    while (written.mock.calls.length < 2)
    await entries(store)
    written.mockRestore()
    // The timer of the count finds nothing to write.
    vi.advanceTimersByTime(2_000)
    vi.useRealTimers()
    busyLog.record('grant', 'granted', ABOUT)
    await vi.waitFor(async () => expect(await entries(store)).toHaveLength(2), WITHIN_MS)
  })

  test('a failed write does not fail the recorded call', async () => {
    const warning = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const broken = createLog(
      () => Promise.reject(new DOMException('full', 'QuotaExceededError')),
      () => time,
    )
    expect(() => broken.record('call', 'GET 200', ABOUT)).not.toThrow()
    await broken.settled()
    expect(warning).toHaveBeenCalledExactlyOnceWith('log: not written', 'QuotaExceededError')
    warning.mockRestore()
  })

  test('the user can empty it', async () => {
    log.record('call', 'GET 200', ABOUT)
    await log.clear()
    expect(await log.read()).toEqual([])
    log.record('call', 'GET 200', ABOUT)
    expect(await log.read()).toHaveLength(1)
  })
})
