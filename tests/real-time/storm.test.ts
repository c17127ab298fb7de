/**
 * Runs the same storm (N12) twice and at full length, in `npm run test:full`. `tests/attacks/storm.test.ts`
 * runs the small storm of each run.
 */

import { describe, expect, inject, test } from 'vitest'
import { BROWSER } from '../browser/fixtures.ts'
import { runStorm } from '../storm/storm.ts'

const FLOWS = 24
/**
 * Seed whose first flows have each event, a denial, revocations by the network, and a worker that stops at the
 * code, at a renewal and at a revocation.
 */
const SEED = 958

// The storm opens its own Chromium.
describe.runIf(BROWSER === 'chromium')('a storm of the same seed', () => {
  test('N12: what comes of each flow follows from the seed', async () => {
    const options = { browser: BROWSER, seed: SEED, flows: FLOWS, builds: inject('builds') }
    const first = await runStorm(options)
    const second = await runStorm(options)
    expect([...first.violations, ...second.violations]).toEqual([])
    expect(second.results).toEqual(first.results)
    expect(second.digests).toEqual(first.digests)
  }, 360_000)
})
