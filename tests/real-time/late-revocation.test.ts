/**
 * Tests the second attempt of a revocation with the product's own limits: the pause after the first attempt,
 * and the alarm that starts a worker which was stopped. `tests/browser/revocation-faults.test.ts` tests the
 * same decision with shorter limits.
 */

import { test } from '../browser/fixtures.ts'
import { revokeLate } from '../browser/support/late-revocation.ts'

/** Longer than the pause before the second attempt plus the delay of the alarm. */
const PATIENCE_MS = 75_000

test(
  'C15: after a 503 an alarm wakes a worker, which tells the server',
  ({ stage, page, granted, worker }) => revokeLate(stage, page, granted, worker, PATIENCE_MS),
  PATIENCE_MS + 30_000,
)
