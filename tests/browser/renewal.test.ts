/**
 * Tests the ways in which a grant gets its next access token: by a refresh token that the server replaces, by
 * a refresh token that the server does not replace, and by a silent authorization.
 *
 * Seen to fail when:
 * - `refreshAccessToken` in `extension/background/tokens/token-renewal.ts` does not wait for its record, does
 *   not write it, or writes the old refresh token into it (C08);
 * - neither `refreshAccessToken` nor the core keeps a refresh token that the response does not replace (C09);
 * - a token is renewed with a window although the page said `never`, `askUser` does not require a gesture,
 *   and every silent attempt fails with the same error (X16).
 *
 * @see RFC 6749 section 6
 * @see OpenID Connect Core section 3.1.2.6
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { type AccessToken, ERROR_CODE } from '../../shared/messages/page-api.ts'
import { test as base } from './fixtures.ts'
import { openDatabase } from './support/databases.ts'
import { REFRESH_REFUSED } from './support/need-the-user.ts'
import { until } from './support/pages.ts'
import {
  authorizationRequests,
  authorizationResponses,
  type Called,
  call,
  endSessions,
  gesture,
  openScreen,
  type Stage,
  signInPage,
  tokenRequests,
} from './support/stage.ts'
import { getAccessToken, RENEWED, refreshRequests, refreshTokensSent } from './support/tokens.ts'
import { windowsOpenedBy } from './support/windows.ts'

/** Calls from a page without a user gesture, with permission to open a window if needed. */
async function renewByItself(stage: Stage, grantId: string): Promise<Called<AccessToken>> {
  const params = { grantId, ...RENEWED, interactive: 'ifNeeded' }
  stage.application.routes.set('/by-itself', {
    html: `<script>window.call('northbound_getAccessToken', ${JSON.stringify(params)})
      .then((outcome) => { document.title = JSON.stringify(outcome) })</script>`,
  })
  const otherPage = await stage.open('/by-itself')
  await until('the answer', async () => (await otherPage.title()).startsWith('{'))
  return JSON.parse(await otherPage.title())
}

/**
 * Opens a transaction on the broker's tokens, in a page of the broker's own origin. Other writers wait until the
 * transaction is released.
 */
async function holdTokens(stage: Stage): Promise<{ screen: Page; release(): Promise<void> }> {
  const screen = await openScreen(stage)
  const opened = await openDatabase(screen, 'northkey-tokens')
  await opened.evaluate(async (database) => {
    const records = database.transaction('tokens', 'readwrite').objectStore('tokens')
    await new Promise<void>((resolve) => {
      const goOn = () => {
        resolve()
        if (document.title !== 'released') records.count().onsuccess = goOn
        else database.close()
      }
      records.count().onsuccess = goOn
    })
  })
  return {
    screen,
    async release() {
      await screen.evaluate(() => {
        document.title = 'released'
      })
    },
  }
}

describe('a grant whose access token is to be renewed', () => {
  const test = base
    // An ID token identifies the subscriber, so that a silent authorization may renew the grant.
    .extend('options', { operator: { openid: 'required' } })
    .extend('wish', { mode: 'token' })

  test('C08: nobody has the access token before the new refresh token is on the disk, and the old one is never sent again', async ({
    stage,
    page,
    granted: { grantId },
    worker,
  }) => {
    const { faults } = stage.network
    const held = faults.add({ path: '/token', action: { type: 'hold', before: 'answering' } })
    let outcome: Called<AccessToken> | undefined
    const renew = () => getAccessToken(page, { grantId, ...RENEWED })
    stage.network.log.clear()
    const renewing = renew().then((settled) => {
      outcome = settled
    })
    await until('the refresh', async () => tokenRequests(stage).length === 1)
    const { release } = await holdTokens(stage)
    faults.remove(held)
    await until('the answer', async () => tokenRequests(stage)[0]?.status === 200)
    // The broker has received the response by now: it has answered calls that came after this call.
    for (let calls = 0; calls < 5; calls++) await call(page, 'broker_getInfo')
    expect(outcome).toBeUndefined()
    await release()
    await renewing
    await worker.stop()
    expect(outcome?.error).toBeUndefined()

    // The server receives the refresh tokens that it issued, each exactly once.
    const next = await renew()
    await worker.stop()
    const last = await renew()
    expect([next.error, last.error]).toEqual([undefined, undefined])
    expect(refreshRequests(stage).map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(refreshTokensSent(stage)).size).toBe(3)
    expect(authorizationRequests(stage)).toEqual([])
  })

  test('C09: where the answer has no new refresh token, the one that was sent is kept', async ({
    stage,
    page,
    granted: { grantId },
    worker,
  }) => {
    const headers = { 'content-type': 'application/json' }
    const body = '{"access_token":"without-a-refresh-token","token_type":"Bearer","expires_in":600}'
    stage.network.log.clear()
    stage.network.faults.add({
      path: '/token',
      times: 1,
      action: { type: 'status', status: 200, headers, body },
    })
    const first = await getAccessToken(page, { grantId, ...RENEWED })
    expect(first.result?.accessToken).toBe('without-a-refresh-token')
    await worker.stop()
    expect((await getAccessToken(page, { grantId, ...RENEWED })).error).toBeUndefined()
    expect(refreshRequests(stage).map(({ status }) => status)).toEqual([200, 200])
    expect(new Set(refreshTokensSent(stage)).size).toBe(1)
    expect(authorizationRequests(stage)).toEqual([])
  })

  test('X16: a silent attempt that ends in login_required says so, and no window opens but by the user', async ({
    stage,
    page,
    granted: { grantId },
  }) => {
    stage.network.log.clear()
    stage.network.faults.add(REFRESH_REFUSED)
    await endSessions(stage)
    const code = ERROR_CODE.interactionRequired
    const opened = await windowsOpenedBy(stage, async () => {
      const { error } = await getAccessToken(page, { grantId, ...RENEWED })
      expect(error).toMatchObject({ code, data: { error: 'login_required' } })
      expect((await renewByItself(stage, grantId)).error).toMatchObject({ code })
    })
    // The only new window is the page that `renewByItself` opens.
    expect(opened).toBe(1)
    expect(authorizationRequests(stage).map(({ query }) => query.prompt)).toEqual(['none', 'none'])
    expect(
      authorizationResponses(stage).map((url) => new URL(url).searchParams.get('error')),
    ).toEqual(['login_required', 'login_required'])

    await gesture(page)
    const renewing = getAccessToken(page, { grantId, ...RENEWED, interactive: 'ifNeeded' })
    await (await signInPage(stage)).close()
    expect((await renewing).error).toMatchObject({ code: ERROR_CODE.accessDenied })
  })
})
