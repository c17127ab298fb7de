/**
 * Attack: an operator, an API or a CAPIF core wants to recognize the user in the requests of other sites, other
 * subscribers and other browser sessions. Firefox puts a random identifier of the installation into the `Origin` of
 * each request with a body, and of each handshake. Chromium puts the id of the extension there: it identifies nobody,
 * but an authorization server with a list of web origins rejects the request. The logs of the servers are the oracle.
 *
 * Seen to fail in Firefox when `extension/background/platform/anonymous-request-rule.ts` does not remove `Origin`, or
 * has only the resource type of the one or the other: the token request, the call of the API and the handshake had
 * the host of the extension. Seen to fail in Chromium without the static rule in the manifest: registration, pushed
 * authorization request, token request, refresh, call and revocation had `Origin`.
 */

import { describe, expect } from 'vitest'
import { CHROMIUM_ID } from '../../extension/identity.ts'
import { BROWSER, test } from '../browser/fixtures.ts'
import { subscriptionsUrl } from '../browser/support/api-calls.ts'
import { nameWebsocketUri, startHostileCore } from '../browser/support/hostile-core.ts'
import { connectQuickly } from '../browser/support/known-subscriber.ts'
import { wishFor } from '../browser/support/operator-wish.ts'
import { call, connect } from '../browser/support/stage.ts'
import { apiRequests } from '../browser/support/subscriptions.ts'
import { RENEWED } from '../browser/support/tokens.ts'

/** Chromium asks no rule for the handshake of a service worker. */
const ORIGIN_OF_HANDSHAKE = BROWSER === 'chromium' ? `chrome-extension://${CHROMIUM_ID}` : undefined

/** The broker has to register a client at a server that offers pushed authorization requests. */
const registeringTest = test.extend('options', {
  requireConsent: true,
  operator: {
    onboarding: 'dynamic',
    pushedAuthorizationRequests: 'when_offered',
    applications: [],
  },
})

/** A core at a server that the profile names. */
const channelTest = test
  .extend('core', async ({ task: _ }, { onCleanup }) => {
    const core = await startHostileCore()
    onCleanup(() => core.close())
    return core
  })
  .extend('options', ({ core }) => ({
    operator: { serverOrigins: [`http://127.0.0.1:${core.port}`] },
  }))

describe('a server that the broker sends requests to', () => {
  registeringTest(
    'A04, H01: finds no origin of the extension in any request of a grant’s life',
    async ({ stage, page }) => {
      const { result: grant } = await connect(stage, page, stage.wish({ mode: 'token' }))
      if (!grant) throw new Error('no grant')
      await call(page, 'northbound_getAccessToken', { ...RENEWED })
      await call(page, 'northbound_fetch', {
        url: subscriptionsUrl(grant),
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
      await call(page, 'northbound_revoke')
      // Other requests are those of the sign-in pages: navigations, and what these pages load.
      const requests = stage.network.log.entries.filter(
        ({ headers }) => headers['sec-fetch-dest'] === 'empty',
      )
      const posts = requests.filter(({ method }) => method === 'POST').map(({ path }) => path)
      expect(posts).toEqual([
        // The server refuses the scopes of the APIs here, so the broker registers without scope.
        '/reg',
        '/reg',
        '/request',
        '/token',
        '/token',
        apiRequests(stage)[0]?.path,
        '/token/revocation',
      ])
      for (const { headers } of requests) expect(headers).not.toHaveProperty('origin')
    },
  )

  channelTest(
    'A04: finds none in the handshake of a notification channel, or the same for all installations',
    async ({ stage, page, core }) => {
      nameWebsocketUri(stage.network, `ws://127.0.0.1:${core.port}/notifications`)
      await connectQuickly(stage, page, wishFor(stage, 'capif'))
      const { headers } = await core.handshake(0)
      expect(headers.origin).toBe(ORIGIN_OF_HANDSHAKE)
    },
  )
})
