/**
 * Tests a server that never answers. The request ends after 15 s, before a browser stops the worker during
 * the request. The test takes those 15 s.
 *
 * Seen to fail when the limit is 5 s, and when the request has only the core's own limit.
 */

import { expect } from 'vitest'
import { ERROR_CODE, type Grant } from '../../shared/messages/page-api.ts'
import { test } from '../browser/fixtures.ts'
import { expectNoGrant } from '../browser/support/nothing-kept.ts'
import { call, gesture } from '../browser/support/stage.ts'

test('L07: a server that never answers is a timeout, after 15 s', async ({ stage, page }) => {
  stage.network.faults.add({ path: '/.well-known/*', action: { type: 'hang' } })
  await gesture(page)
  const beforeMs = Date.now()
  const { error } = await call<Grant>(page, 'northbound_connect', stage.wish())
  expect(error).toMatchObject({ code: ERROR_CODE.unreachable, data: { error: 'timeout' } })
  const lastedMs = Date.now() - beforeMs
  expect(lastedMs).toBeGreaterThanOrEqual(15_000)
  // The core ends every request after 25 s at the latest.
  expect(lastedMs).toBeLessThan(25_000)
  await expectNoGrant(stage, page)
})
