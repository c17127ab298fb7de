/**
 * How a grant comes to its next access token: by a refresh token that the server replaces, by one that
 * it does not, and by an authorization without a window. @see RFC 6749 section 6, OpenID Connect Core
 * section 3.1.2.6
 *
 * Seen to fail when `refresh` in `extension/background/tokens/token-renewal.ts` does not wait for its record, does not
 * write it, or writes the old refresh token into it (C08); when neither it nor the core keeps a refresh
 * token that the answer does not replace (C09); when a token is renewed with the user though the page
 * said `never`, when `withUser` does not ask for a gesture, and when every silent attempt fails with one
 * and the same word (X16).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { LogEntry } from '../../demo-site/network/index.ts'
import {
  type AccessToken,
  ERROR_CODE,
  type GetAccessTokenParams,
} from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { REFRESH_REFUSED } from './support/need-the-user.ts'
import { until } from './support/pages.ts'
import {
  authorizationRequests,
  authorizationResponses,
  BROWSERS,
  type Called,
  call,
  connect,
  forgetRefusals,
  formOf,
  openScreen,
  type Stage,
  signInPage,
  startStage,
  tokenRequests,
} from './support/stage.ts'
import { windowsOpenedBy } from './support/windows.ts'
import { workerSwitch } from './support/worker.ts'

/** More than any token has: such a call renews one that is not of this very second. */
const RENEWED = { minValiditySeconds: 3_600 }

/** Long enough for an answer to reach the page, were it not held back. */
const AN_ANSWER_MS = 1_000

describe.each(BROWSERS)('in %s, a grant whose access token is to be renewed', (name) => {
  let stage: Stage
  let page: Page
  let grantId: string

  beforeAll(async () => {
    stage = await startStage(name)
    page = await stage.open()
  })
  beforeEach(async () => {
    await gesture(page)
    const { result } = await connect(stage, page, stage.wish({ mode: 'token' }))
    grantId = result?.grantId ?? ''
    stage.network.log.clear()
  })
  afterEach(async () => {
    stage.network.faults.clear()
    await call(page, 'northbound_revoke')
  })
  afterAll(() => stage?.close())

  async function renew(more: GetAccessTokenParams = {}): Promise<Called<AccessToken>> {
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    return call(page, 'northbound_getAccessToken', { grantId, ...RENEWED, ...more })
  }

  const refreshes = (): LogEntry[] =>
    tokenRequests(stage).filter((entry) => formOf(entry).grant_type === 'refresh_token')
  const refreshTokens = () => refreshes().map((entry) => formOf(entry).refresh_token)

  /** Nothing of the broker's memory is left. */
  async function stopWorker(): Promise<void> {
    const worker = await workerSwitch(stage)
    await worker.stop()
    await worker.close()
  }

  /** A page that the user has not touched wants a window if need be. */
  async function renewByItself(): Promise<Called<AccessToken>> {
    const wish = { grantId, ...RENEWED, interactive: 'ifNeeded' }
    stage.application.routes.set('/by-itself', {
      html: `<script>window.call('northbound_getAccessToken', ${JSON.stringify(wish)})
        .then((outcome) => { document.title = JSON.stringify(outcome) })</script>`,
    })
    const other = await stage.open('/by-itself')
    await until('the page to be told', async () => (await other.title()).startsWith('{'))
    const outcome = JSON.parse(await other.title())
    await other.close()
    return outcome
  }

  /** One of the broker's pages writes in its tokens, and does not come to an end until it is told to. */
  async function holdTokens(): Promise<() => Promise<void>> {
    const screen = await openScreen(stage)
    await screen.evaluate(async () => {
      const opening = indexedDB.open('northkey-tokens')
      await new Promise((resolve) => {
        opening.onsuccess = resolve
      })
      const records = opening.result.transaction('tokens', 'readwrite').objectStore('tokens')
      await new Promise<void>((resolve) => {
        const goOn = () => {
          resolve()
          if (document.title !== 'enough') records.count().onsuccess = goOn
          else opening.result.close()
        }
        records.count().onsuccess = goOn
      })
    })
    return async () => {
      await screen.evaluate(() => {
        document.title = 'enough'
      })
      await screen.close()
    }
  }

  test('C08: nobody has the access token before the new refresh token is on the disk, and the old one is never sent again', async () => {
    const held = stage.network.faults.add({
      path: '/token',
      action: { type: 'hold', before: 'answering' },
    })
    let outcome: Called<AccessToken> | undefined
    const renewing = renew().then((settled) => {
      outcome = settled
    })
    await until('the refresh', async () => tokenRequests(stage).length === 1)
    const release = await holdTokens()
    try {
      stage.network.faults.remove(held)
      await until('the answer', async () => refreshes()[0]?.status === 200)
      await new Promise((resolve) => setTimeout(resolve, AN_ANSWER_MS))
      expect(outcome).toBeUndefined()
    } finally {
      await release()
    }
    await renewing
    await stopWorker()
    expect(outcome?.error).toBeUndefined()

    // What the server gave is what it gets, and it takes each once.
    const next = await renew()
    await stopWorker()
    const last = await renew()
    expect([next.error, last.error]).toEqual([undefined, undefined])
    expect(refreshes().map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(refreshTokens()).size).toBe(3)
    expect(authorizationRequests(stage)).toEqual([])
  })

  test('C09: where the answer has no new refresh token, the one that was sent is kept', async () => {
    const headers = { 'content-type': 'application/json' }
    const body = '{"access_token":"without-a-refresh-token","token_type":"Bearer","expires_in":600}'
    stage.network.faults.add({
      path: '/token',
      times: 1,
      action: { type: 'status', status: 200, headers, body },
    })
    expect((await renew()).result?.accessToken).toBe('without-a-refresh-token')
    await stopWorker()
    expect((await renew()).error).toBeUndefined()
    expect(refreshes().map(({ status }) => status)).toEqual([200, 200])
    expect(new Set(refreshTokens()).size).toBe(1)
    expect(authorizationRequests(stage)).toEqual([])
  })

  test('X16: a silent attempt that ends in login_required says so, and no window opens but by the user', async () => {
    stage.network.faults.add(REFRESH_REFUSED)
    // The operator knows nobody any more.
    await stage.browser.deleteCookie(...(await stage.browser.cookies()))
    const code = ERROR_CODE.interactionRequired
    const opened = await windowsOpenedBy(stage, async () => {
      expect((await renew()).error).toMatchObject({ code, data: { error: 'login_required' } })
      expect((await renewByItself()).error).toMatchObject({ code })
    })
    // The page that asks by itself is the one.
    expect(opened).toBe(1)
    expect(authorizationRequests(stage).map(({ query }) => query.prompt)).toEqual(['none', 'none'])
    expect(
      authorizationResponses(stage).map((url) => new URL(url).searchParams.get('error')),
    ).toEqual(['login_required', 'login_required'])

    await gesture(page)
    const renewing = renew({ interactive: 'ifNeeded' })
    await (await signInPage(stage)).close()
    expect((await renewing).error).toMatchObject({ code: ERROR_CODE.accessDenied })
    await forgetRefusals(stage)
  })
})
