/**
 * Tests the exponential back-off and its jitter.
 *
 * Seen to fail without the limit, and without the jitter.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  computeBackoffMs,
  randomFraction,
} from '../../../../extension/background/platform/backoff.ts'

const BACKOFF = { firstMs: 30_000, longestMs: 3_600_000 }

test.each([
  [0, 0],
  [1, 30_000],
  [2, 60_000],
  [3, 120_000],
  [8, 3_600_000],
  [2_000, 3_600_000],
])('after %i failures in a row the pause is %i ms, without jitter', (failures, pauseMs) => {
  expect(computeBackoffMs(failures, BACKOFF, 0)).toBe(pauseMs)
})

test('jitter makes a pause longer by up to a quarter, and never shorter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), (failures) => {
      const plain = computeBackoffMs(failures, BACKOFF, 0)
      const pause = computeBackoffMs(failures, BACKOFF, randomFraction())
      expect(pause).toBeGreaterThanOrEqual(plain)
      expect(pause).toBeLessThanOrEqual(plain * 1.25)
    }),
  )
  expect(computeBackoffMs(1, BACKOFF, 1)).toBe(37_500)
})
