/**
 * Attack: an operator, an API or a CAPIF core wants to recognize the user in the requests of other sites, other
 * subscribers and other browser sessions. Firefox puts a random identifier of the installation into the `Origin` of
 * each request with a body, and of each handshake. The logs of the servers are the oracle.
 *
 * Seen to fail in Firefox when the rule of `extension/background/platform/anonymous-requests.ts` does not remove
 * `Origin`, or has only the resource type of the one or the other: the token request, the call of the API and the
 * handshake had the host of the extension.
 */

import { describe, expect } from 'vitest'
import { CHROMIUM_ID } from '../../extension/identity.ts'
import { BROWSER, test } from '../browser/fixtures.ts'
import { subscriptionsUrl } from '../browser/support/api-calls.ts'
import { nameWebsocketUri, startHostileCore } from '../browser/support/hostile-core.ts'
import { connectQuickly } from '../browser/support/known-subscriber.ts'
import { wishFor } from '../browser/support/operator-wish.ts'
import { call, tokenRequests } from '../browser/support/stage.ts'
import { apiRequests } from '../browser/support/subscriptions.ts'

/** The same for each installation, or none. */
const ANONYMOUS = [
  undefined,
  BROWSER === 'chromium' ? `chrome-extension://${CHROMIUM_ID}` : undefined,
]

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
  test('A04: finds no identifier of the installation in the requests for tokens and of calls', async ({
    stage,
    page,
    granted,
  }) => {
    const { result } = await call<{ status: number }>(page, 'northbound_fetch', {
      url: subscriptionsUrl(granted),
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(result?.status).toBeGreaterThan(0)
    const requests = [...tokenRequests(stage), ...apiRequests(stage)]
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST'])
    for (const { headers } of requests) expect(ANONYMOUS).toContain(headers.origin)
  })

  channelTest(
    'A04: finds none in the handshake of a notification channel',
    async ({ stage, page, core }) => {
      nameWebsocketUri(stage.network, `ws://127.0.0.1:${core.port}/notifications`)
      await connectQuickly(stage, page, wishFor(stage, 'capif'))
      const { headers } = await core.handshake(0)
      expect(ANONYMOUS).toContain(headers.origin)
    },
  )
})
