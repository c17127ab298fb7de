/**
 * The leak matrix: where code, verifier and tokens might come to light while flows run and after the
 * browser has closed. The servers' logs say what the secrets were.
 *
 * Seen to fail when Firefox is given Chromium's rule that strips the query (its history keeps the
 * code), when records are stored without `seal`, when `redirectReceived` writes to the console, and
 * when the verifier is always the same.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page, Target } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FetchResult, Grant } from '../../shared/messages/page-api.ts'
import { gesture, quietFlow, withoutRevocation } from './support/known-subscriber.ts'
import { searchProfile } from './support/profile-search.ts'
import {
  atRedirectHost,
  authorizationRequests,
  authorizationResponses,
  BROWSERS,
  call,
  formOf,
  type Stage,
  signIn,
  startStage,
  tokenRequests,
} from './support/stage.ts'
import { workerSwitch } from './support/worker.ts'

const FLOWS = { chromium: 30, firefox: 10 }

/** A service worker of the site that keeps every address it is asked for. */
const SITE_WORKER = `
const seen = []
self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', ({ request }) => seen.push(request.url + ' ' + request.referrer))
self.addEventListener('message', ({ ports: [port] }) => port.postMessage(seen))
`

describe.each(BROWSERS)('in %s, over many flows', (name) => {
  const runs = FLOWS[name]
  let profile: string
  let stage: Stage
  let page: Page
  const console: string[] = []

  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
    stage = await startStage(name, { profile, requireConsent: false, accessTokenSeconds: 20 })
    await withoutRevocation(stage)
    stage.application.routes.set('/worker.js', {
      html: SITE_WORKER,
      raw: true,
      headers: { 'content-type': 'text/javascript' },
    })
    stage.browser.on('targetcreated', async (target) => {
      const opened = await target.page().catch(() => null)
      opened?.on('console', (message) => console.push(message.text()))
      opened?.on('pageerror', (error) => console.push(String(error)))
    })
    page = await stage.open()
    await page.evaluate(async () => {
      await navigator.serviceWorker.register('/worker.js')
      await navigator.serviceWorker.ready
    })
    const first = call<Grant>(page, 'northbound_connect', stage.wish())
    await signIn(stage)
    expect((await first).error).toBeUndefined()
    await call(page, 'northbound_revoke')
  })
  afterAll(async () => {
    await stage?.close()
    await rm(profile, { recursive: true, force: true })
  })

  async function listenTo(worker: Target): Promise<void> {
    const session = await worker.createCDPSession()
    session.on('Runtime.consoleAPICalled', ({ args }) =>
      console.push(args.map(({ value, description }) => String(value ?? description)).join(' ')),
    )
    await session.send('Runtime.enable')
  }

  const secretsIn = (text: string, secrets: string[]) =>
    secrets.filter((secret) => text.includes(secret))

  /** Codes, verifiers and tokens of every flow so far. */
  function secrets(): string[] {
    const codes = authorizationResponses(stage).map((url) => new URL(url).searchParams.get('code'))
    const forms = tokenRequests(stage).flatMap((entry) => [
      formOf(entry).code_verifier,
      formOf(entry).refresh_token,
    ])
    const tokens = stage.network.log
      .filter({ server: 'api-exposing-functions' })
      .map(({ headers }) => String(headers.authorization ?? '').replace(/^Bearer /, ''))
    return [...codes, ...forms, ...tokens].filter(
      (secret): secret is string => typeof secret === 'string' && secret !== '',
    )
  }

  test(`R01: in ${runs} flows no request reaches the redirect URI’s host`, async () => {
    const stopper = await workerSwitch(stage)
    for (let run = 0; run < runs; run++) {
      const fault =
        run % 5 === 1
          ? stage.network.faults.add({
              path: '/auth',
              times: 1,
              action: { type: 'delay', ms: 1_500 },
            })
          : undefined
      const before = authorizationRequests(stage).length
      const flow = quietFlow(stage, page)
      if (fault) {
        await expect.poll(() => authorizationRequests(stage).length).toBeGreaterThan(before)
        await stopper.stop()
        stage.network.faults.remove(fault)
      }
      expect((await flow).error).toBeUndefined()
    }
    await stopper.close()
    const codes = new Set(authorizationResponses(stage))
    expect(codes.size).toBe(runs + 1)
    expect(atRedirectHost(stage)).toEqual([])
    expect(stage.outside.requests.filter((url) => url.includes('code='))).toEqual([])
  }, 90_000)

  test('P04: every challenge and every verifier is used once', () => {
    const challenges = authorizationRequests(stage).map(({ query }) => query.code_challenge)
    expect(new Set(challenges).size).toBe(challenges.length)
    const verifiers = tokenRequests(stage).map((entry) => formOf(entry).code_verifier)
    expect(new Set(verifiers).size).toBe(runs + 1)
  })

  test('a grant that is used and renewed, with its tokens', async () => {
    const worker = stage.browser
      .targets()
      .find((target) => target.url().startsWith('chrome-extension:') && target.type() !== 'page')
    // A worker that is listened to cannot be stopped, so this comes after the flows above.
    if (worker) await listenTo(worker)
    await quietFlow(stage, page)
    await gesture(page)
    expect((await call<Grant>(page, 'northbound_connect', stage.wish())).error).toBeUndefined()
    const url = `${stage.wish().apis[0]?.resource}/cloud-gaming/subscriptions`
    for (let use = 0; use < 2; use++) {
      const { result } = await call<FetchResult>(page, 'northbound_fetch', { url })
      expect(result?.status).toBe(200)
    }
    expect(tokenRequests(stage).filter((entry) => formOf(entry).refresh_token)).not.toEqual([])
  })

  test('R02: the page sees no code, verifier or token, whatever it looks at', async () => {
    const view = await page.evaluate(() =>
      JSON.stringify([
        window.seen,
        document.documentElement.outerHTML,
        document.URL,
        document.referrer,
        performance.getEntries().map((entry) => entry.name),
        Object.entries(localStorage),
        Object.entries(sessionStorage),
        history.length,
      ]),
    )
    expect(view).toContain('grantId')
    expect(secretsIn(view, secrets())).toEqual([])
  })

  test('R29: the site’s service worker sees no code', async () => {
    await page.reload()
    const seen = await page.evaluate(async () => {
      const { active } = await navigator.serviceWorker.ready
      const { port1, port2 } = new MessageChannel()
      const answer = new Promise<string[]>((resolve) => {
        port1.onmessage = ({ data }) => resolve(data)
      })
      active?.postMessage('tell', [port2])
      return answer
    })
    expect(seen.length).toBeGreaterThan(0)
    expect(secretsIn(seen.join('\n'), secrets())).toEqual([])
  })

  test('R04: no request to anyone has the code in its Referer or its address', () => {
    const inFrontChannel = stage.network.log.entries.map(({ path, query, headers }) =>
      JSON.stringify([path, query, headers.referer ?? '', headers.cookie ?? '']),
    )
    const everything = [...inFrontChannel, ...stage.application.requests, ...stage.outside.requests]
    expect(everything.length).toBeGreaterThan(runs)
    expect(secretsIn(everything.join('\n'), secrets())).toEqual([])
    for (const entry of tokenRequests(stage)) expect(entry.headers.referer).toBeUndefined()
  })

  test('T17: no request of the broker carries a cookie', () => {
    const own = [
      ...tokenRequests(stage),
      ...stage.network.log.filter({ path: /\.well-known|\/jwks/ }),
      ...stage.network.log.filter({ server: 'api-exposing-functions' }),
    ]
    expect(own.length).toBeGreaterThan(runs)
    expect(own.filter(({ headers }) => headers.cookie !== undefined)).toEqual([])
  })

  test('E12: no console of a page or a worker has a secret', () => {
    expect(secretsIn(console.join('\n'), secrets())).toEqual([])
  })

  // The last one: the browser closes.
  test('K01, R03, E13, T18: the profile of the closed browser has none of them', async () => {
    const interaction = stage.network.log.filter({ path: /^\/interaction\// })[0]?.path ?? ''
    const named = Object.fromEntries(secrets().map((secret, index) => [`secret ${index}`, secret]))
    // Session files are written with a delay.
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    await stage.browser.close()
    // What is no secret is found, so the search works: the sign-in page is in the history.
    expect(await searchProfile(profile, { interaction })).not.toEqual([])
    expect(await searchProfile(profile, named)).toEqual([])
  })
})
