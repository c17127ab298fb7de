/**
 * The whole way, in both browsers, judged by the servers' logs.
 *
 * Seen to fail without the rule that blocks the host of the redirect URI (R01, R15 with R16), when a
 * result carries more of the flow than its grant (P06), when `settle` keeps the record (K02), and with
 * another key or id in the manifest (E18).
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FetchResult, Grant } from '../../shared/messages/page-api.ts'
import {
  atRedirectHost,
  authorizationRequests,
  authorizationResponses,
  BROWSERS,
  type Called,
  call,
  connect,
  databaseText,
  formOf,
  openScreen,
  type Stage,
  startStage,
  tokenRequests,
} from './support/stage.ts'

describe.each(BROWSERS)('in %s, a token and a northbound call', (name) => {
  let stage: Stage
  let page: Page
  let granted: Called<Grant>

  beforeAll(async () => {
    stage = await startStage(name)
    page = await stage.open()
    granted = await connect(stage, page)
  })
  afterAll(() => stage?.close())

  const codeVerifier = () => String(formOf(tokenRequests(stage)[0]).code_verifier)
  const code = () => new URL(authorizationResponses(stage)[0] ?? '').searchParams.get('code') ?? ''

  test('connect ends in a grant', () => {
    expect(granted.error).toBeUndefined()
    expect(granted.result).toMatchObject({
      issuer: stage.network.issuer,
      mode: 'fetch',
      apis: stage.wish().apis,
    })
  })

  test('RFC 7636 section 4.3: one authorization request, with S256', () => {
    const requests = authorizationRequests(stage)
    expect(requests).toHaveLength(1)
    expect(requests[0]?.query.code_challenge_method).toBe('S256')
  })

  test('RFC 7636 section 4.5: one token request, whose verifier hashes to the challenge', () => {
    expect(tokenRequests(stage)).toHaveLength(1)
    const challenge = createHash('sha256').update(codeVerifier()).digest('base64url')
    expect(authorizationRequests(stage)[0]?.query.code_challenge).toBe(challenge)
  })

  test('R01: no request at all reaches the host of the redirect URI', () => {
    expect(authorizationResponses(stage)).toHaveLength(1)
    expect(stage.outside.connections).not.toContain(new URL(stage.redirectBase).host)
    expect(atRedirectHost(stage)).toEqual([])
  })

  test('P06: the verifier and the code are in no message that the page can see', async () => {
    await call(page, 'broker_getInfo')
    await call(page, 'northbound_getGrants')
    const seen = await page.evaluate(
      () => JSON.stringify(window.seen) + document.documentElement.outerHTML,
    )
    expect(seen).toContain(granted.result?.grantId)
    expect(code()).not.toBe('')
    expect(seen).not.toContain(codeVerifier())
    expect(seen).not.toContain(code())
  })

  test('K02: the flow is gone from IndexedDB, and nothing there can be read', async () => {
    const screen = await openScreen(stage)
    const stores = await databaseText(screen)
    expect(stores.flows).toEqual([])
    expect(stores.tokens).toHaveLength(1)
    const everything = JSON.stringify(stores)
    for (const secret of [codeVerifier(), code(), 'refreshToken', 'eyJ']) {
      expect(everything).not.toContain(secret)
    }
    await screen.close()
  })

  test('E18: the redirect URI is the one that the browser derives from the id', async () => {
    const screen = await openScreen(stage)
    const derived = await screen.evaluate(() =>
      (
        globalThis as unknown as { chrome: { identity: { getRedirectURL(): string } } }
      ).chrome.identity.getRedirectURL(),
    )
    expect(derived).toBe(stage.redirectBase)
    const { result } = await call<{ redirectUris: string[] }>(page, 'broker_getInfo')
    expect(result?.redirectUris).toEqual([derived])
    await screen.close()
  })

  test('the windows of the flow are closed', async () => {
    const addresses = (await stage.browser.pages()).map((each) => each.url())
    expect(addresses.filter((address) => address.startsWith(stage.network.issuer))).toEqual([])
  })

  test('the API answers 201 with the created subscription', async () => {
    const [api] = stage.wish().apis
    const { result, error } = await page.evaluate(async (resource) => {
      const answer = (await window.call('northbound_fetch', {
        url: `${resource}/cloud-gaming/subscriptions`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          notificationDestination: 'https://unused.invalid/notifications',
          qosReference: 'QOS_L',
          flowInfo: [{ flowId: 1, flowDescriptions: ['permit in ip from any to any'] }],
        }),
      })) as { result?: FetchResult; error?: unknown }
      if (!answer.result) return { error: answer.error }
      return { result: { ...answer.result, body: new TextDecoder().decode(answer.result.body) } }
    }, api?.resource ?? '')
    expect(error).toBeUndefined()
    expect(result).toMatchObject({ status: 201 })
    expect(JSON.parse(result?.body ?? '')).toMatchObject({ qosReference: 'QOS_L' })
    const [request] = stage.network.log.filter({ server: 'api-exposing-functions', method: 'POST' })
    expect(request?.headers.authorization).toMatch(/^Bearer /)
    expect(request?.headers.cookie).toBeUndefined()
  })

  test('a second connect finds the grant and opens no window', async () => {
    const again = await call<Grant>(page, 'northbound_connect', stage.wish())
    expect(again.result?.grantId).toBe(granted.result?.grantId)
    expect(authorizationRequests(stage)).toHaveLength(1)
  })

  test('R15, R16: the redirect replayed in a tab reaches nobody and changes nothing', async () => {
    const replay = await stage.open()
    const url = authorizationResponses(stage)[0] ?? ''
    await replay.evaluate((address) => location.assign(address), url)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toHaveLength(1)
    expect(tokenRequests(stage)).toHaveLength(1)
    expect(atRedirectHost(stage)).toEqual([])
    await replay.close()
  })

  test('revoke ends the grant, and the server is told', async () => {
    const grantId = granted.result?.grantId ?? ''
    const revoked = await call(page, 'northbound_revoke', { grantId })
    expect(revoked.result).toEqual({ revoked: [grantId], pending: [] })
    expect((await call(page, 'northbound_getGrants')).result).toEqual([])
    expect(stage.network.log.filter({ method: 'POST', path: /revocation$/ })).toHaveLength(1)
  })
})
