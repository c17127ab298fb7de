/**
 * Runs the leak matrix: it searches for the code, the verifier and the tokens in every place where they could
 * leak, while flows run and after the browser has closed. The logs of the servers name the secrets. All flows
 * run before the tests, and the tests only read the record of these flows.
 *
 * Seen to fail when Firefox gets Chromium's rule that removes the query (the code stays in its history), when
 * records are stored without `seal`, when `handleRedirect` writes to the console, and when the verifier is
 * constant.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Grant } from '../../shared/messages/page-api.ts'
import { BROWSER } from './fixtures.ts'
import { expectServed } from './support/api-calls.ts'
import { type BrowserHost, openHost } from './support/browser-host.ts'
import { consoleTexts, recordConsoles } from './support/console-record.ts'
import { connectAndRevoke, withoutRevocation } from './support/known-subscriber.ts'
import { openPage, until } from './support/pages.ts'
import { searchProfile } from './support/profile-search.ts'
import {
  atRedirectHost,
  authorizationRequests,
  authorizationResponses,
  call,
  formOf,
  gesture,
  type Stage,
  signIn,
  startStage,
  tokenRequests,
} from './support/stage.ts'
import { workerSwitch } from './support/worker.ts'

const runs = 10
const MARKER = 'the-last-page-of-the-session'
/** Flows whose worker stops while the authorization request is in flight. */
const STOPPED = [1, 6]

/** A service worker of the site that records the address of every request. */
const SITE_WORKER = `
const seen = []
self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', ({ request }) => seen.push(request.url + ' ' + request.referrer))
self.addEventListener('message', ({ ports: [port] }) => port.postMessage(seen))
`

let profile: string
let host: BrowserHost
let stage: Stage
/** Console messages of the pages, and of the browser about the pages. */
const pageConsole: string[] = []
/** Everything that the site's page received, as text, and the addresses that its service worker recorded. */
let pageView: string
let siteWorkerView: string[]

/** Runs a flow. In some flows the worker stops before the end. */
async function runFlow(page: Page, run: number): Promise<void> {
  if (!STOPPED.includes(run)) {
    expect((await connectAndRevoke(stage, page)).error).toBeUndefined()
    return
  }
  const { faults } = stage.network
  const worker = await workerSwitch(stage)
  const hold = faults.add({
    path: '/auth',
    times: 1,
    action: { type: 'hold', before: 'processing' },
  })
  const flow = connectAndRevoke(stage, page)
  await until('the request', async () => faults.find(hold)?.applied === 1)
  await worker.stop()
  // The call has started another worker, which will receive the response.
  expect((await call(page, 'broker_getInfo')).error).toBeUndefined()
  faults.remove(hold)
  expect((await flow).error).toBeUndefined()
  await worker.close()
}

async function registerSiteWorker(page: Page): Promise<void> {
  stage.application.routes.set('/worker.js', {
    html: SITE_WORKER,
    raw: true,
    headers: { 'content-type': 'text/javascript' },
  })
  await page.evaluate(async () => {
    await navigator.serviceWorker.register('/worker.js')
    await navigator.serviceWorker.ready
  })
}

const viewOfPage = (page: Page) =>
  page.evaluate(() =>
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

const viewOfSiteWorker = (page: Page) =>
  page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready
    const { port1, port2 } = new MessageChannel()
    const answer = new Promise<string[]>((resolve) => {
      port1.onmessage = ({ data }) => resolve(data)
    })
    active?.postMessage('tell', [port2])
    return answer
  })

beforeAll(async () => {
  profile = await mkdtemp(join(tmpdir(), 'northkey-profile-'))
  host = await openHost(BROWSER, { profile })
  stage = await startStage(host, {
    prepareExtension: recordConsoles,
  })
  await withoutRevocation(stage)
  stage.browser.on('targetcreated', async (target) => {
    const opened = await target.page().catch(() => null)
    opened?.on('console', (message) => pageConsole.push(message.text()))
    opened?.on('pageerror', (error) => pageConsole.push(String(error)))
  })
  const page = await stage.open()
  await registerSiteWorker(page)
  // The first flow contains the complete sign-in, so that the operator's pages are in the history.
  const first = call(page, 'northbound_connect', stage.wish())
  await signIn(stage)
  expect((await first).error).toBeUndefined()
  await call(page, 'northbound_revoke')
  for (let run = 0; run < runs; run++) await runFlow(page, run)

  // Uses a grant and renews its tokens.
  await gesture(page)
  const { result } = await call<Grant>(page, 'northbound_connect', stage.wish())
  if (!result) throw new Error('no grant')
  await expectServed(page, result)
  stage.network.faults.add({
    server: 'api-exposing-functions',
    times: 1,
    action: { type: 'status', status: 401, body: '{}' },
  })
  await expectServed(page, result)
  pageView = await viewOfPage(page)
  await page.evaluate(() => console.log('the console of the page'))
  await page.reload()
  siteWorkerView = await viewOfSiteWorker(page)

  // The browser writes its session to the disk with a delay. If this page is on the disk, so are all earlier pages.
  await openPage(stage.browser, `${stage.application.origin}/${MARKER}`)
  if (BROWSER === 'chromium') {
    const written = async () => (await searchProfile(profile, { MARKER })).join()
    await until('the session', async () => (await written()).includes('Session'))
  }
  await stage.browser.close()
}, 180_000)
afterAll(async () => {
  await stage?.close()
  await host?.outside.close()
  await rm(profile, { recursive: true, force: true, maxRetries: 5 })
})

const secretsIn = (text: string) => secrets().filter((secret) => text.includes(secret))

/** Codes, verifiers and tokens of every flow. */
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

describe('the secrets of many flows', () => {
  test('there are secrets to look for, of each kind', () => {
    const [renewal] = tokenRequests(stage).filter((entry) => formOf(entry).refresh_token)
    expect(renewal).toBeDefined()
    // A code and a verifier of each flow, a refresh token, an access token.
    expect(new Set(secrets()).size).toBeGreaterThanOrEqual(2 * (runs + 2) + 2)
  })

  test(`R01: in ${runs} flows no request reaches the redirect URI’s host`, () => {
    expect(new Set(authorizationResponses(stage)).size).toBe(runs + 2)
    expect(atRedirectHost(stage)).toEqual([])
    expect(stage.outside.requests.filter((url) => url.includes('code='))).toEqual([])
  })

  test('P04: every challenge and every verifier is used once', () => {
    const challenges = authorizationRequests(stage).map(({ query }) => query.code_challenge)
    expect(challenges.length).toBeGreaterThanOrEqual(runs + 2)
    expect(new Set(challenges).size).toBe(challenges.length)
    const verifiers = tokenRequests(stage)
      .map((entry) => formOf(entry).code_verifier)
      .filter((verifier) => verifier !== undefined)
    expect(verifiers).toHaveLength(runs + 2)
    expect(new Set(verifiers).size).toBe(runs + 2)
  })

  test('R02: the page sees no code, verifier or token, whatever it looks at', () => {
    expect(pageView).toContain('grantId')
    expect(secretsIn(pageView)).toEqual([])
  })

  test('R29: the site’s service worker sees no code', () => {
    expect(siteWorkerView.length).toBeGreaterThan(0)
    expect(secretsIn(siteWorkerView.join('\n'))).toEqual([])
  })

  test('R04: no request to anyone has the code in its Referer or its address', () => {
    const inFrontChannel = stage.network.log.entries.map(({ path, query, headers }) =>
      JSON.stringify([path, query, headers.referer ?? '', headers.cookie ?? '']),
    )
    const everything = [...inFrontChannel, ...stage.application.requests, ...stage.outside.requests]
    expect(everything.length).toBeGreaterThan(runs)
    expect(secretsIn(everything.join('\n'))).toEqual([])
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
    const scripts = consoleTexts(stage.application.requests)
    // Control: the consoles of the page, of the content script and of the background were recorded.
    expect(pageConsole).toContain('the console of the page')
    expect(scripts).toContain(`the console of ${stage.application.origin}/`)
    expect(scripts.join('\n')).toContain(`the console of ${stage.brokerOrigin}/`)
    expect(secretsIn([...pageConsole, ...scripts].join('\n'))).toEqual([])
  })

  test('K01, R03, E13, T18: the profile of the closed browser has none of them', async () => {
    const interaction = stage.network.log.filter({ path: /^\/interaction\// })[0]?.path ?? ''
    const named = Object.fromEntries(secrets().map((secret, index) => [`secret ${index}`, secret]))
    // Control of the search: it finds the sign-in page, which is no secret, in the history.
    expect(await searchProfile(profile, { interaction })).not.toEqual([])
    expect(await searchProfile(profile, named)).toEqual([])
  })
})
