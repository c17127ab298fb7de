/**
 * A server whose keys are new, and a worker that has read the old ones: it reads them again, but no more than
 * once a minute, so that a server cannot make it ask on and on. Lasts that minute.
 *
 * Seen to fail when keys that were read once are never read again (N11).
 */

import { expect } from 'vitest'
import type { FetchResult } from '../../shared/messages/page-api.ts'
import { test as base } from '../browser/fixtures.ts'
import { connectQuickly } from '../browser/support/known-subscriber.ts'
import { wishFor } from '../browser/support/operator-wish.ts'
import { restartNetwork } from '../browser/support/restart-network.ts'
import { call } from '../browser/support/stage.ts'

const COOLDOWN_MS = 61_000

const test = base.extend('options', {
  operator: {
    onboarding: 'preregistered',
    clientAuthentication: 'none',
    dpop: 'when_offered',
    pushedAuthorizationRequests: 'when_offered',
  },
})

test('N11: the new keys of a server are read, a minute after the old ones', async ({
  stage,
  page,
}) => {
  const wish = wishFor(stage, 'camara', 2)
  expect((await connectQuickly(stage, page, wish)).error).toBeUndefined()
  const keysReadAtMs = Date.now()
  await stage.network.close()
  await restartNetwork(stage)
  await call(page, 'northbound_revoke')
  // A worker without a call would not live so long, nor remember the keys.
  while (Date.now() < keysReadAtMs + COOLDOWN_MS) {
    await call(page, 'broker_getInfo')
    await new Promise((resolve) => setTimeout(resolve, 5_000))
  }
  expect((await connectQuickly(stage, page, wish)).error).toBeUndefined()
  const url = `${wish.apis[0]?.resource}/sessions/${crypto.randomUUID()}`
  expect((await call<FetchResult>(page, 'northbound_fetch', { url })).result?.status).toBe(404)
}, 150_000)
