/**
 * Tests revocations that the authorization function does not accept at once. The grant ends in the browser
 * immediately, and the broker notifies the server later.
 *
 * Replaced limits: the pause before the second attempt, and the shortest time to an alarm
 * (`tests/real-time/late-revocation.test.ts` runs with the product's own limits).
 *
 * Seen to fail when a revocation whose server could not be reached is not kept (C15), and when a revocation
 * that the server will never accept is kept (C17).
 *
 * @see RFC 7009 section 2.2.1
 */

import { describe, expect } from 'vitest'
import type { RevokeResult } from '../../shared/messages/page-api.ts'
import { test } from './fixtures.ts'
import { connectQuickly, withoutRevocation } from './support/known-subscriber.ts'
import { expectRevoked, revocationRequests, revokeLate } from './support/late-revocation.ts'
import { call } from './support/stage.ts'

describe('a revocation', () => {
  test('C17: where the server has no endpoint for it, the grant ends here, and nothing is pending', async ({
    stage,
    page,
  }) => {
    await withoutRevocation(stage)
    const { result: granted } = await connectQuickly(stage, page)
    if (!granted) throw new Error('no grant')
    const { grantId } = granted
    const { result } = await call<RevokeResult>(page, 'northbound_revoke', { grantId })
    expect(result).toEqual({ revoked: [grantId], pending: [] })
    await expectRevoked(page, granted)
    expect(revocationRequests(stage)).toEqual([])
  })

  const lateTest = test.extend('options', {
    limits: { FIRST_REVOCATION_PAUSE_MS: 500, SOONEST_ALARM_MS: 500 },
  })

  lateTest(
    'C15: after a 503 the grant is over at once, and the server is told later, whatever happens to the worker',
    ({ stage, page, granted, worker }) => revokeLate(stage, page, granted, worker),
  )
})
