/**
 * Tests that the response of an authorization without a window never reaches the network. In Chromium the browser
 * reads the response, and the request may leave at the same moment: a matter of chance, so there are many attempts.
 *
 * Seen to fail without `blockOutsideOfTabs`: 4 responses of 60 reached the redirect URI's host.
 */

import { expect } from 'vitest'
import type { AccessToken } from '../../shared/messages/page-api.ts'
import { test } from '../browser/fixtures.ts'
import { connectQuickly } from '../browser/support/known-subscriber.ts'
import { wishFor } from '../browser/support/operator-wish.ts'
import { atRedirectHost, type Called } from '../browser/support/stage.ts'
import { getAccessToken, RENEWED } from '../browser/support/tokens.ts'

const ATTEMPTS = 60

test('R01: 60 authorizations without a window: no response reaches the redirect URI’s host', async ({
  stage,
  page,
}) => {
  // The CAPIF operator has no refresh token: each renewal is an authorization without a window.
  const wish = { ...wishFor(stage, 'capif'), mode: 'token' as const }
  const { result } = await connectQuickly(stage, page, wish)
  const renewed: Called<AccessToken>[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    renewed.push(await getAccessToken(page, { grantId: result?.grantId ?? '', ...RENEWED }))
  }
  expect(renewed.flatMap(({ error }) => error ?? [])).toEqual([])
  expect(atRedirectHost(stage)).toEqual([])
})
