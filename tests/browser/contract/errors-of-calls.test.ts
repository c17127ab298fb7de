/**
 * Section 4 of the contract: errors whose reason is the page, the user or the broker.
 *
 * Seen to fail when: 4200 and -32002 have other numbers; a hidden document, or one without a gesture,
 * may open a window; the opaque origin of a sandbox counts as secure; `internal_error` tells the
 * message of what was thrown; proofs are not counted; `invalid_params` names
 * `params` and not the member; what is not plain data is not looked for, or ends the other calls of its
 * turn.
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Grant, ProviderErrorObject } from '../../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from '../support/application.ts'
import { gesture } from '../support/known-subscriber.ts'
import { gone, inFront, pageAt, until } from '../support/pages.ts'
import { aGrant, expectError } from '../support/shapes.ts'
import {
  answerConsent,
  BROWSERS,
  type Called,
  CLIENT_ID,
  call,
  openScreen,
  type Stage,
  signIn,
  startOver,
  startStage,
} from '../support/stage.ts'
import { windowsOpenedBy } from '../support/windows.ts'

/** More than any token has: it has to be renewed. */
const RENEWED = 3_600

describe.each(BROWSERS)('in %s, a call', (name) => {
  let stage: Stage
  let other: ApplicationServer
  let page: Page
  let stranger: Page
  let grant: Grant

  beforeAll(async () => {
    stage = await startStage(name)
    other = await startApplication()
    page = await stage.open()
    stranger = await stage.browser.newPage()
    await stranger.goto(other.origin)
  })
  afterAll(async () => {
    await stage?.close()
    await other?.close()
  })

  const wish = () => stage.wish({ mode: 'token' })
  const connect = () => call<Grant>(page, 'northbound_connect', wish())

  test('4001 access_denied: the user refused', async () => {
    page = await startOver(stage, page)
    await gesture(page)
    const outcome = connect()
    await answerConsent(stage, 'deny')
    expectError(await outcome, 4001, 'access_denied')
    await gone(stage.browser, '/ui/consent/')
  })

  test('4001 access_denied: the user closed the window', async () => {
    page = await startOver(stage, page)
    await gesture(page)
    const outcome = connect()
    await (await pageAt(stage.browser, '/ui/consent/')).close()
    expectError(await outcome, 4001, 'access_denied')
  })

  test('-32002 already_pending: this origin already has a window open', async () => {
    page = await startOver(stage, page)
    await gesture(page)
    const outcome = connect()
    await pageAt(stage.browser, '/ui/consent/')
    expectError(await connect(), -32002, 'already_pending')
    await answerConsent(stage, 'allow')
    await signIn(stage)
    const { result } = await outcome
    expect(result).toStrictEqual(aGrant({ mode: 'token' }))
    if (result) grant = result
    await gone(stage.browser, '/ui/consent/')
  })

  test('4100 no_grant: the same for no such grant, a grant of another origin, and an origin never allowed', async () => {
    const htu = `${grant.apis[0]?.resource}/cloud-gaming/subscriptions`
    const calls = (grantId: string): [method: string, params: object][] => [
      ['northbound_getAccessToken', { grantId }],
      ['northbound_fetch', { grantId, url: htu }],
      ['northbound_createProof', { grantId, htm: 'GET', htu }],
      ['northbound_revoke', { grantId }],
    ]
    const outcomes = []
    for (const args of calls(crypto.randomUUID())) outcomes.push(await call(page, ...args))
    for (const args of calls(grant.grantId)) outcomes.push(await call(stranger, ...args))
    outcomes.push(await call(stranger, 'northbound_connect', wish()))
    const unknown = stage.wish({ issuer: 'https://unknown.example' })
    outcomes.push(await call(stranger, 'northbound_connect', unknown))
    for (const outcome of outcomes) expectError(outcome, 4100, 'no_grant')
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1)
    expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toStrictEqual([grant])
  })

  test('4200 unsupported_method: no such method', async () => {
    for (const method of ['northbound_nothing', 'eth_accounts', 'toString']) {
      expectError(await call(page, method), 4200, 'unsupported_method')
    }
  })

  const told = () =>
    stage.application.requests
      .map((line) => line.split(' ')[1])
      .filter((target) => target?.startsWith('/outcome'))
      .at(-1)

  test('4210 interaction_required: a page without a gesture of the user', async () => {
    stage.application.routes.set('/by-itself', {
      html: `<script>
        window.broker()
          .then(() => window.call('northbound_connect', ${JSON.stringify(stage.wish())}))
          .then(({ error }) => {
            new Image().src = '/outcome?' + new URLSearchParams({ is: JSON.stringify(error) })
          })
      </script>`,
    })
    // The driver's own questions to a page are gestures, so the page itself tells how it went.
    const visitor = await stage.browser.newPage()
    const windows = await windowsOpenedBy(stage, async () => {
      await visitor.goto(`${stage.application.origin}/by-itself`)
      await until('the outcome', async () => told() !== undefined)
    })
    expect(windows).toBe(0)
    const error = new URL(told() ?? '', stage.application.origin).searchParams.get('is') ?? ''
    expectError({ error: JSON.parse(error) }, 4210, 'interaction_required')
    await visitor.close()
  })

  test('4210 interaction_required: a hidden document', async () => {
    await inFront(stranger)
    await until('the page to be hidden', () => page.evaluate(() => document.hidden))
    const windows = await windowsOpenedBy(stage, async () => {
      const outcome = await call(page, 'northbound_connect', stage.wish())
      expectError(outcome, 4210, 'interaction_required')
    })
    expect(windows).toBe(0)
  })

  const renew = () => call(page, 'northbound_getAccessToken', { minValiditySeconds: RENEWED })

  test('4210 consent_required: the authorization was taken back at the operator', async () => {
    const [subscriber] = stage.network.subscribers.all
    await stage.network.revoke(stage.network.issuer, subscriber?.id ?? '', CLIENT_ID)
    expectError(await renew(), 4210, 'consent_required')
  })

  test('4210 login_required: the session at the operator is over', async () => {
    const { issuer, faults } = stage.network
    const cookie = `session_oauth_${new URL(issuer).port}=; Max-Age=0; path=/`
    faults.add({ path: '/phone', action: { type: 'header', headers: { 'set-cookie': cookie } } })
    const visitor = await stage.browser.newPage()
    await visitor.goto(`${issuer}/phone`)
    await visitor.close()
    expectError(await renew(), 4210, 'login_required')
  })

  test('-32600 forbidden_context: a sandboxed document', async () => {
    const headers = { 'content-security-policy': 'sandbox allow-scripts' }
    stage.application.routes.set('/sandboxed', { html: '', headers })
    const sandboxed = await stage.open('/sandboxed')
    expect(await sandboxed.evaluate(() => self.origin)).toBe('null')
    const outcome = await call(sandboxed, 'northbound_getGrants')
    expectError(outcome, -32600, 'forbidden_context')
    await sandboxed.close()
  })

  const wrong: [method: string, params: (stage: Stage) => object, named: string][] = [
    ['broker_getInfo', () => ({ verbose: true }), 'verbose'],
    ['northbound_connect', () => ({ apis: [] }), 'issuer'],
    ['northbound_connect', ({ wish }) => ({ ...wish(), issuer: 7 }), 'issuer'],
    ['northbound_connect', ({ wish }) => ({ ...wish(), apis: 'all' }), 'apis'],
    ['northbound_connect', ({ wish }) => ({ ...wish(), mode: 'both' }), 'mode'],
    ['northbound_connect', ({ wish }) => ({ ...wish(), client_id: 'x' }), 'client_id'],
    ['northbound_getAccessToken', () => ({ minValiditySeconds: '60' }), 'minValiditySeconds'],
    ['northbound_getAccessToken', () => ({ interactive: true }), 'interactive'],
    ['northbound_fetch', () => ({ url: '/relative' }), 'url'],
    ['northbound_fetch', ({ network }) => ({ url: network.apisOrigin, body: 7 }), 'body'],
    ['northbound_createProof', () => ({ grantId: 'x', htm: 'get', htu: 'http://x/' }), 'htm'],
    ['northbound_revoke', () => ({ grantId: 7 }), 'grantId'],
  ]
  test('-32602 invalid_params: the message names the parameter and what was expected of it', async () => {
    for (const [method, params, named] of wrong) {
      const outcome = await call(page, method, params(stage))
      expectError(outcome, -32602, 'invalid_params')
      expect(outcome.error?.message).toMatch(new RegExp(`^${named}: .*expected`))
    }
  })

  test('-32602 invalid_params: what is not plain data, beside calls of the same turn that are', async () => {
    const outcomes = await page.evaluate(async (url) => {
      const own = { name: 'ECDSA', namedCurve: 'P-256' }
      const asked: unknown[] = [
        () => {},
        new Map([['grantId', 'x']]),
        new Date(),
        [],
        new Blob(['x']),
        { grantId: new Map() },
        { grantId: /x/ },
        { grantId: { a: { b: { c: { d: {} } } } } },
        { grantId: new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) },
        { grantId: await RTCPeerConnection.generateCertificate(own) },
        { grantId: await navigator.storage.getDirectory() },
        { url, body: new Uint8Array(8) },
        { url, body: new ArrayBuffer(80 * 1024 * 1024) },
      ]
      return Promise.all([
        window.call('northbound_getGrants'),
        ...asked.map((params) => window.call('northbound_fetch', params as object)),
        window.call('broker_getInfo'),
      ]) as Promise<Called<unknown>[]>
    }, stage.network.apisOrigin)
    expect(outcomes.at(0)?.result).toEqual(expect.any(Array))
    expect(outcomes.at(-1)?.result).toMatchObject({ protocol: '1' })
    for (const outcome of outcomes.slice(1, -1)) expectError(outcome, -32602, 'invalid_params')
  })

  test('4290 rate_limited: too many requests from this origin', async () => {
    const params = { grantId: 'x', htm: 'GET', htu: `${stage.network.apisOrigin}/x` }
    const errors = await stranger.evaluate(async (given) => {
      const asked = Array.from({ length: 300 }, () => window.call('northbound_createProof', given))
      const outcomes = (await Promise.all(asked)) as { error: ProviderErrorObject }[]
      return outcomes.map(({ error }) => error)
    }, params)
    const limited = errors.filter(({ code }) => code !== 4100)
    expect(limited.length).toBeGreaterThan(0)
    for (const error of limited) {
      expectError({ error }, 4290, 'rate_limited', {
        retryAfterSeconds: expect.any(Number) as number,
      })
    }
    const outcome = await call(page, 'northbound_createProof', params)
    expectError(outcome, 4100, 'no_grant')
  })

  test('-32603 internal_error: a defect, without a word of what happened inside', async () => {
    const third = await startApplication()
    const screen = await openScreen(stage)
    // A record that the broker never writes: whatever reads it goes wrong.
    const write = (record: null | undefined) =>
      screen.evaluate(
        async (origin, value) => {
          const opening = indexedDB.open('northkey-grants')
          await new Promise((resolve) => {
            opening.onsuccess = resolve
          })
          const store = opening.result.transaction('grants', 'readwrite').objectStore('grants')
          const done =
            value === null ? store.put(value, [origin, 'x']) : store.delete([origin, 'x'])
          await new Promise((resolve) => {
            done.onsuccess = resolve
          })
          opening.result.close()
        },
        third.origin,
        record,
      )
    const visitor = await stage.browser.newPage()
    await visitor.goto(third.origin)
    await write(null)
    const outcome = await call(visitor, 'northbound_getGrants')
    await write(undefined)
    expectError(outcome, -32603, 'internal_error')
    expect(JSON.stringify(outcome)).not.toMatch(/TypeError|\bnull\b|lifetime|\.js|extension:/)
    await visitor.close()
    await screen.close()
    await third.close()
  })
})
