/**
 * N12: the same storm twice, as long as it takes: `npm run test:full` runs it. The small one of each run is
 * `tests/attacks/storm.test.ts`.
 */

import { describe, expect, inject, test } from 'vitest'
import { runStorm } from '../storm/storm.ts'

const FLOWS = 24
/** Its first flows have each event, a denial, and a worker that stops at the code and at a renewal. */
const SEED = 1_304

// It opens a browser of its own, and that is Chromium.
describe.runIf(inject('browserName') === 'chromium')('a storm of the same seed', () => {
  test('N12: what comes of each flow follows from the seed', async () => {
    const first = await runStorm(SEED, FLOWS, inject('builds'))
    const second = await runStorm(SEED, FLOWS, inject('builds'))
    expect([...first.violations, ...second.violations]).toEqual([])
    expect(second.results).toEqual(first.results)
    expect(second.digests).toEqual(first.digests)
  }, 360_000)
})
