/**
 * Tests an operator that hangs while another operator renews a token without a window.
 *
 * Seen to fail when one queue is held over all requests of an attempt (each row), and when the browser gets no time
 * limit of its own for an attempt (the authorization endpoint, in Chromium).
 */

import { describe, expect } from 'vitest'
import type { AccessToken, Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test as base } from '../browser/fixtures.ts'
import { connectQuickly } from '../browser/support/known-subscriber.ts'
import { REFRESH_REFUSED } from '../browser/support/need-the-user.ts'
import { wishFor } from '../browser/support/operator-wish.ts'
import type { Called } from '../browser/support/stage.ts'
import { getAccessToken, RENEWED } from '../browser/support/tokens.ts'

/** A grant at the CAPIF operator, which has no refresh token: each renewal is an authorization without a window. */
const test = base
  .extend('options', {
    // An ID token identifies the subscriber, so that a renewal without a window is tried.
    operator: { openid: 'required' },
    limits: { SILENT_AUTHORIZATION_TIMEOUT_MS: 5_000 },
  })
  .extend('wish', { mode: 'token' })
  .extend('slowGrant', async ({ stage, page, granted }): Promise<Grant> => {
    expect(granted.mode).toBe('token')
    const wish = { ...wishFor(stage, 'capif'), mode: 'token' as const }
    const { result, error } = await connectQuickly(stage, page, wish)
    if (!result) throw new Error(`no grant: ${error?.message}`)
    return result
  })

/** Chromium runs one attempt at a time: the quick operator waits for the time limit of the other one. */
const FIRST_AT_AUTHORIZATION = BROWSER === 'chromium' ? 'slow' : 'quick'

const ROWS = [
  ['metadata', '/.well-known/*capif', 'quick'],
  ['authorization endpoint', '/capif/auth', FIRST_AT_AUTHORIZATION],
  ['token endpoint', '*/capif-security/*/token', 'quick'],
] as const

describe('A08: a token is renewed while another operator hangs', () => {
  test.for(ROWS)(
    'at its %s',
    async ([_, path, expectedFirst], { stage, page, granted, slowGrant }) => {
      const { faults, log } = stage.network
      const answered: string[] = []
      const renew = async ({ grantId }: Grant, name: string): Promise<Called<AccessToken>> => {
        const outcome = await getAccessToken(page, { grantId, ...RENEWED })
        answered.push(name)
        return outcome
      }
      faults.add(REFRESH_REFUSED)
      const hang = faults.add({ path, action: { type: 'hang' } })
      const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)
      const afterId = log.lastId
      const slow = renew(slowGrant, 'slow')
      await log.waitFor({ path: pattern }, { until: 'arrived', afterId })
      const { result } = await renew(granted, 'quick')
      expect(result?.accessToken).toBeDefined()
      faults.remove(hang)
      await slow
      expect(answered[0]).toBe(expectedFirst)
    },
  )
})
