/**
 * Tests the quotas of the log (A06): no page empties the user's log, with any sequence of calls.
 *
 * Seen to fail against the log that kept the 2,000 newest entries of all origins in one list, and that
 * logged the operator, the APIs and the purposes of a refused `northbound_connect`: 3,300 such calls left
 * no grant in it. The test of operators: when the entries without an origin have one quota together.
 */

import 'fake-indexeddb/auto'
import fc from 'fast-check'
import { createStore, entries } from 'idb-keyval'
import { describe, expect, test, vi } from 'vitest'
import { createLog, TRIM_EVERY } from '../../../../extension/background/platform/log.ts'
import {
  getLogClass,
  LOG_QUOTAS,
  type LogClass,
  type LogKey,
  MAX_ENTRIES,
  selectExcess,
} from '../../../../extension/background/platform/log-quotas.ts'
import type { LogEvent } from '../../../../shared/messages/screen-channel.ts'

const GAME = 'https://play.example'
const THIEF = 'https://thief.example'
const API = { resource: 'https://api.example/qos', scope: 'qos:write' }
const ABOUT = { issuer: 'https://op.example', mode: 'fetch', apis: [API] } as const

let stores = 0
const openLog = (now: () => number = () => 1_000_000) => {
  const store = createStore(`quotas${++stores}`, 'log')
  return { store, log: createLog(store, now) }
}

interface Run {
  event: LogEvent
  origin: string
  times: number
}

const events: fc.Arbitrary<LogEvent> = fc.constantFrom(
  'grant',
  'revocation',
  'site',
  'operator',
  'token',
  'call',
  'proof',
  'refusal',
)
/** Origins, of which each test run has a few or many. */
const runs: fc.Arbitrary<Run[]> = fc.array(
  fc.record({
    event: events,
    origin: fc.integer({ min: 0, max: 40 }).map((n) => `https://site-${n}.example`),
    times: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 30, max: 900 })),
  }),
  { maxLength: 60 },
)

function toKeys(list: readonly Run[]): LogKey[] {
  return list.flatMap(({ event, origin, times }, run) =>
    Array.from({ length: times }, (_, i): LogKey => [run * 1_000 + i, getLogClass(event), origin]),
  )
}

const countOf = (keys: readonly LogKey[], logClass: LogClass, origin?: string) =>
  keys.filter(([, ofClass, of]) => ofClass === logClass && (origin ?? of) === of).length

function keep(keys: readonly LogKey[]): LogKey[] {
  const excess = new Set(selectExcess(keys))
  return keys.filter((key) => !excess.has(key))
}

/** The keys of `wanted` that are not kept of all keys. */
function findLost(wanted: readonly LogKey[], all: readonly LogKey[]): LogKey[] {
  const kept = new Set(keep(all))
  return wanted.filter((key) => !kept.has(key))
}

describe('A06: the quotas of the log', () => {
  test('hold for each origin and for all of them, after any sequence of entries', () => {
    fc.assert(
      fc.property(runs, (list) => {
        const kept = keep(toKeys(list))
        expect(kept.length).toBeLessThanOrEqual(MAX_ENTRIES)
        for (const logClass of ['decision', 'use', 'refusal'] as const) {
          const { perOrigin, total } = LOG_QUOTAS[logClass]
          expect(countOf(kept, logClass)).toBeLessThanOrEqual(total)
          for (const { origin } of list) {
            expect(countOf(kept, logClass, origin)).toBeLessThanOrEqual(perOrigin)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test('no number of calls deletes a grant or a revocation of any origin', () => {
    fc.assert(
      fc.property(runs, runs, (before, flood) => {
        const decisions = keep(toKeys(before).filter(([, logClass]) => logClass === 'decision'))
        const calls = toKeys(flood)
          .filter(([, logClass]) => logClass !== 'decision')
          .map(([time, ...rest]): LogKey => [time + 1_000_000, ...rest])
        expect(findLost(decisions, [...decisions, ...calls])).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  test('an origin deletes nothing of another one that has no more than its equal share', () => {
    fc.assert(
      fc.property(runs, (flood) => {
        const origins = new Set(flood.map(({ origin }) => origin)).size + 1
        for (const [logClass, { perOrigin, total }] of Object.entries(LOG_QUOTAS)) {
          const share = Math.min(perOrigin, Math.floor(total / origins))
          const mine = Array.from(
            { length: share },
            (_, i): LogKey => [i, logClass as LogClass, GAME],
          )
          const theirs = toKeys(flood).map(([time, ...rest]): LogKey => [time + 1_000, ...rest])
          expect(findLost(mine, [...mine, ...theirs])).toEqual([])
        }
      }),
      { numRuns: 60 },
    )
  })

  test('more origins than entries: each keeps one at most, the newest', () => {
    const { total } = LOG_QUOTAS.refusal
    const keys = Array.from(
      { length: total + 50 },
      (_, i): LogKey => [i, 'refusal', `https://thief.example:${i}`],
    )
    expect(keep(keys)).toEqual(keys.slice(50))
  })

  test('the oldest entries of an origin are deleted, and the newest stay', () => {
    const { perOrigin } = LOG_QUOTAS.refusal
    const keys = Array.from({ length: perOrigin + 3 }, (_, i): LogKey => [i, 'refusal', THIEF])
    expect(selectExcess(keys)).toEqual(keys.slice(0, 3))
  })
})

describe('A06: a flood of refused calls', () => {
  test('3,300 calls that differ leave the log of other sites and of the user whole', async () => {
    let time = 1_000_000
    const { log } = openLog(() => time)
    log.record('operator', 'imported', { issuer: ABOUT.issuer })
    log.record('site', 'on', { origin: GAME })
    log.record('grant', 'granted', { ...ABOUT, origin: GAME })
    log.record('call', 'GET 200', { ...ABOUT, origin: GAME })
    log.record('revocation', 'by user', { ...ABOUT, origin: GAME })
    for (let i = 0; i < 3_300; i++) {
      time += 10
      const apis = [{ ...API, purpose: `visit https://thief.example/${i}` }]
      log.record('refusal', `northbound_connect: error ${i}`, { ...ABOUT, origin: THIEF, apis })
      if (i % 300 === 0) await log.settled()
    }
    const kept = await log.read()
    const mine = kept.filter(({ origin }) => origin !== THIEF).map(({ event }) => event)
    expect(mine).toEqual(['revocation', 'call', 'grant', 'site', 'operator'])
    expect(kept.length - mine.length).toBeLessThan(LOG_QUOTAS.refusal.perOrigin + TRIM_EVERY)
  })

  test('an entry has the origin and the outcome alone, and equal outcomes are one entry', async () => {
    const { log, store } = openLog()
    for (let i = 0; i < 50; i++) {
      const apis = [{ ...API, purpose: `text of the page ${i}` }]
      const mode = i % 2 ? 'token' : 'fetch'
      log.record('refusal', 'northbound_connect: no_grant', { ...ABOUT, origin: THIEF, mode, apis })
    }
    const [entry, ...more] = await log.read()
    expect(more).toEqual([])
    expect(entry).toEqual({
      at: 1_000_000,
      until: 1_000_000,
      times: 50,
      event: 'refusal',
      outcome: 'northbound_connect: no_grant',
      origin: THIEF,
    })
    expect(JSON.stringify(await entries(store))).not.toContain('text of the page')
  })

  test('a busy origin does not end the deduplication for another one', async () => {
    const { log } = openLog()
    for (let i = 0; i < 400; i++) {
      log.record('call', `GET ${i}`, { ...ABOUT, origin: THIEF })
      log.record('call', 'GET 200', { ...ABOUT, origin: GAME })
    }
    const ofGame = (await log.read()).filter(({ origin }) => origin === GAME)
    expect(ofGame).toMatchObject([{ times: 400 }])
  })

  test('a database that hangs keeps the decisions in memory, and not all calls', async () => {
    let answer = () => {}
    const hanging = new Promise<void>((resolve) => {
      answer = resolve
    })
    const store = createStore(`quotas${++stores}`, 'log')
    const log = createLog(
      async (mode, run) => {
        await hanging
        return store(mode, run)
      },
      () => 1_000_000,
    )
    const written = vi.spyOn(IDBObjectStore.prototype, 'put')
    log.record('call', 'GET 200', { ...ABOUT, origin: GAME })
    await Promise.resolve()
    log.record('grant', 'granted', { ...ABOUT, origin: GAME })
    for (let i = 0; i < 2 * MAX_ENTRIES; i++) {
      log.record('refusal', `unknown method: ${i}`, { origin: THIEF })
    }
    answer()
    expect((await log.read()).map(({ event }) => event)).toContain('grant')
    expect(written.mock.calls.length).toBeLessThan(MAX_ENTRIES + TRIM_EVERY + 2)
    written.mockRestore()
  })
})

test('an operator whose server fills the log pushes out no entry of another operator', async () => {
  const { log } = openLog()
  log.record('operator', 'imported', { issuer: 'https://honest.example' })
  for (let times = 0; times < 2 * LOG_QUOTAS.decision.perOrigin; times++) {
    log.record('operator', 'revocation channel closed', { issuer: 'https://hostile.example' })
    if (times % 50 === 0) await log.settled()
  }
  const entries = await log.read()
  expect(entries.length).toBeLessThan(LOG_QUOTAS.decision.perOrigin + 1 + TRIM_EVERY)
  expect(entries.at(-1)).toMatchObject({ outcome: 'imported' })
})
