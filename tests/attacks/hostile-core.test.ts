/**
 * Tests a hostile CAPIF core: it floods the channel of its notifications, names a host that the profile does not
 * name, and tries to recognize the user by the cookies of a handshake. The handshakes at its server and the log of
 * the network are the oracle.
 *
 * Seen to fail without the limits of `notification-socket.ts` (the flood, the long message), when any host is
 * accepted, and in Firefox without the rule of `anonymous-requests.ts`.
 */

import { describe, expect } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { BROWSER, test as base } from '../browser/fixtures.ts'
import { expectServed } from '../browser/support/api-calls.ts'
import {
  type HostileCore,
  nameWebsocketUri,
  startHostileCore,
} from '../browser/support/hostile-core.ts'
import { connectQuickly } from '../browser/support/known-subscriber.ts'
import { wishFor } from '../browser/support/operator-wish.ts'
import { pageAt } from '../browser/support/pages.ts'
import { call, openScreen, type Stage } from '../browser/support/stage.ts'

const SET_COOKIE = 'Set-Cookie: handshake=1; Path=/; SameSite=None; Secure'
const COOKIES = [
  { name: 'lax', value: '1', sameSite: 'Lax' },
  { name: 'none', value: '1', sameSite: 'None', secure: true },
] as const

/** A core at a server that the profile names. It sets a cookie in its answer. */
const test = base
  .extend('core', async ({ task: _ }, { onCleanup }) => {
    const core = await startHostileCore([SET_COOKIE])
    onCleanup(() => core.close())
    return core
  })
  .extend('options', ({ core }) => ({
    operator: { serverOrigins: [`http://127.0.0.1:${core.port}`] },
  }))

async function connectAtCore(
  stage: Stage,
  page: Parameters<typeof call>[0],
  { port }: Pick<HostileCore, 'port'>,
  host = '127.0.0.1',
): Promise<Grant> {
  nameWebsocketUri(stage.network, `ws://${host}:${port}/notifications`)
  const { result, error } = await connectQuickly(stage, page, wishFor(stage, 'capif'))
  if (!result) throw new Error(`no grant: ${error?.message}`)
  return result
}

const notification = (index: number) =>
  JSON.stringify({
    apiInvokerId: 'cloud-gaming',
    apiIds: ['api'],
    cause: 'OTHER_REASON',
    accessToken: `token-${index}`,
  })

describe('a hostile CAPIF core', () => {
  test('A07: that sends 30,000 notifications is disconnected, and the calls of another operator go on', async ({
    stage,
    page,
    granted,
    core,
  }) => {
    const { grantId } = await connectAtCore(stage, page, core)
    const { socket, closed } = await core.handshake(0)
    for (let index = 0; index < 30_000; index++) socket.send(notification(index))
    await expectServed(page, granted)
    expect(await closed).toBe(4000)
    expect(core.handshakes).toHaveLength(1)
    const { result } = await call<Grant[]>(page, 'northbound_getGrants')
    expect(result?.map((grant) => grant.grantId)).toContain(grantId)
  })

  test('A07: that sends a message of 8 MB is disconnected, and the log says why', async ({
    stage,
    page,
    core,
  }) => {
    await connectAtCore(stage, page, core)
    const { socket, closed } = await core.handshake(0)
    socket.send(' '.repeat(8_000_000))
    expect(await closed).toBe(4000)
    await openScreen(stage, '/ui/sites/index.html')
    const screen = await pageAt(stage.browser, '/ui/sites/')
    await expect
      .poll(() => screen.evaluate(() => document.body.textContent))
      .toContain('revocation channel closed: a message is too long')
  })

  test('A07: that names another host gets no connection, and the log says why', async ({
    stage,
    page,
    core,
  }) => {
    await connectAtCore(stage, page, core, 'evil.localhost')
    await openScreen(stage, '/ui/sites/index.html')
    const screen = await pageAt(stage.browser, '/ui/sites/')
    await expect
      .poll(() => screen.evaluate(() => document.body.textContent))
      .toContain('websocketUri rejected: expected a server that the profile names')
    expect(core.handshakes).toEqual([])
  })

  test('A07: gets no cookie with the handshake and sets none, as far as the browser allows', async ({
    stage,
    page,
    core,
  }) => {
    await stage.browser.setCookie(
      ...COOKIES.map((cookie) => ({ ...cookie, domain: '127.0.0.1', path: '/' })),
    )
    await connectAtCore(stage, page, core)
    const { headers } = await core.handshake(0)
    const kept = (await stage.browser.cookies()).filter(({ name }) => name === 'handshake')
    // No rule of an extension sees the handshake of a service worker (decision 0028).
    expect({ sent: headers.cookie, kept: kept.length }).toEqual(
      BROWSER === 'firefox' ? { sent: undefined, kept: 0 } : { sent: 'none=1', kept: 1 },
    )
  })
})
