/**
 * N12: a small storm in each run of the suite; `npm run storm` makes a long one.
 *
 * Seen to fail, with seed 7 and a hundred flows, when a window that a stopped worker had opened and not
 * written down was left where it was.
 */

import { describe, expect, inject, test } from 'vitest'
import { plan } from '../storm/plan.ts'
import { storm } from '../storm/storm.ts'

const FLOWS = 30
const SEED = 33_884

describe('a storm in chromium', () => {
  test('N12: the same seed plans the same faults, another seed others', () => {
    expect(plan(SEED, 1_000)).toEqual(plan(SEED, 1_000))
    expect(plan(SEED, 1_000)).not.toEqual(plan(SEED + 1, 1_000))
    expect(plan(SEED, 10)).toEqual(plan(SEED, 1_000).slice(0, 10))
  })

  test('N12: under random faults every call settles, no code is sent twice, nothing is left', async () => {
    const report = await storm(SEED, FLOWS, inject('builds'))
    expect(report.violations).toEqual([])
    expect(report.done).toEqual(plan(SEED, FLOWS))
    expect(report.faultsApplied).toBeGreaterThan(0)
    expect(report.outcomes.granted).toBeGreaterThan(0)
  }, 180_000)
})
