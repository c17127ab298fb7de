/**
 * The border between page, content script and worker: what a hostile page, or a hostile script in an
 * allowed page, tries there. Rows B of the catalogue; those of strangers and frames are shown in
 * `tests/browser/strangers.test.ts`, those of sealed calls in `tests/browser/fetch.test.ts`.
 *
 * Seen to fail when: unknown members pass (B06, B11), the content script takes a second port (B13),
 * the shim asks `'error' in data` or assigns the members of an error (B14), an answer carries the token
 * (B15), a URL is matched by its origin alone (B17, B19), methods or headers are not checked (B17), the
 * limit is off (B21), joined callers share one object, the first abort ends a joined call (X04), events
 * go to every tab and the content script does not look at their origin (B22), a document put aside is
 * not answered (B23), any frame may ask, of a document in any state (B23, prerendered: one of the two checks
 * would do), the scripts enter any site (B26), any origin counts as a page's (B07), a dead
 * runtime is not noticed (L12).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Runtime } from 'webextension-polyfill'
import {
  ERROR_CODE,
  type FetchResult,
  type Grant,
  type Provider,
  type ProviderErrorObject,
} from '../../shared/messages/page-api.ts'
import { type ApplicationServer, startApplication } from '../browser/support/application.ts'
import { useDeveloperMode } from '../browser/support/extensions-page.ts'
import { inFront, pagesAt, until } from '../browser/support/pages.ts'
import { allowAll } from '../browser/support/sign-in-window.ts'
import {
  answerConsent,
  BROWSERS,
  call,
  connect,
  openScreen,
  type Stage,
  startStage,
} from '../browser/support/stage.ts'

type Outcome = { result?: unknown; error?: ProviderErrorObject }

describe.each(BROWSERS)('in %s, an attack on the border', (name) => {
  let stage: Stage
  let other: ApplicationServer
  let page: Page
  let grant: Grant
  let url: string

  beforeAll(async () => {
    stage = await startStage(name)
    other = await startApplication()
    page = await stage.open()
    const { result } = await connect(stage, page)
    if (!result) throw new Error('no grant')
    grant = result
    url = `${grant.apis[0]?.resource}/cloud-gaming/subscriptions`
  })
  afterAll(async () => {
    await stage?.close()
    await other?.close()
  })

  /** Whether the broker still serves the page that has the grant. */
  const stillServes = async () =>
    expect((await call<FetchResult>(page, 'northbound_fetch', { url })).result?.status).toBe(200)

  test('B06: what a message says of its sender is refused, wherever it stands', async () => {
    const stranger = await stage.browser.newPage()
    await stranger.goto(other.origin)
    const claim = { origin: stage.application.origin, tabId: 1, frameId: 0, documentId: 'x' }
    const sender = { ...claim, sender: claim, caller: claim }
    expect(
      (await call(stranger, 'northbound_getAccessToken', { grantId: grant.grantId, ...claim }))
        .error,
    ).toMatchObject({ code: -32602 })
    const outcome = await stranger.evaluate(async (more) => {
      const { provider } = window.detail as { provider: Provider }
      const request = { method: 'northbound_getGrants', ...more }
      return provider.request(request)
    }, sender)
    expect(outcome).toEqual([])
    await stranger.close()
  })

  test('B11: odd messages are refused by their shape, and the worker lives', async () => {
    const errors = await page.evaluate(async () => {
      const { provider } = window.detail as { provider: Provider }
      const cyclic: Record<string, unknown> = {}
      cyclic.self = cyclic
      let deep: unknown = 'x'
      for (let i = 0; i < 2_000; i++) deep = [deep]
      const trap = {
        get grantId(): string {
          throw new Error('trap')
        },
      }
      const params: unknown[] = [
        null,
        7,
        'text',
        [],
        cyclic,
        { deep },
        { grantId: deep },
        { grantId: 'x'.repeat(1_000_000) },
        { grantId: new Map() },
        { resource: 'no URL' },
        { minValiditySeconds: Number.NaN },
        { minValiditySeconds: -1 },
        JSON.parse('{"__proto__":{"grantId":"x"},"constructor":1}'),
        { grantId: () => 'x' },
        { grantId: Symbol('x') },
        trap,
      ]
      const codes: unknown[] = []
      for (const one of params) {
        const request = { method: 'northbound_getAccessToken', params: one as object }
        codes.push(await provider.request(request).catch((error) => error.code ?? error.message))
      }
      for (const method of ['', 'constructor', '__proto__', 'toString', 'x'.repeat(1_000_000)]) {
        codes.push(await provider.request({ method }).catch((error) => error.code))
      }
      for (const args of [null, undefined, 7, {}, { method: 7 }]) {
        codes.push(await provider.request(args as never).catch((error) => error.code))
      }
      return codes
    })
    // Firefox carries no member of the name __proto__: what is left of it asks for nothing.
    const inherited = errors.splice(12, 1)
    expect([-32602, 4100]).toContain(inherited[0])
    expect(errors.slice(0, 14)).toEqual(Array.from({ length: 14 }, () => -32602))
    expect([-32602, 'trap']).toContain(errors[14])
    expect(errors.slice(15, 20)).toEqual(Array.from({ length: 5 }, () => 4200))
    expect(errors.slice(20)).toEqual(Array.from({ length: 5 }, () => -32602))
    await stillServes()
  })

  test('B12: an answer is on a private port: no listener of the page hears another’s', async () => {
    const heard = await page.evaluate(async (target) => {
      const seen: string[] = []
      const events = ['message', 'northkey:port', 'northkey:ready', 'messageerror']
      const hear = (event: Event) => seen.push(event.type)
      for (const event of events) {
        window.addEventListener(event, hear, true)
        document.addEventListener(event, hear, true)
      }
      await window.call('northbound_fetch', { url: target })
      await window.call('northbound_getGrants')
      for (const event of events) {
        window.removeEventListener(event, hear, true)
        document.removeEventListener(event, hear, true)
      }
      return seen
    }, url)
    expect(heard).toEqual([])
  })

  test('B13: a second port, and answers made up by the page, reach nobody', async () => {
    const grants = await page.evaluate(async () => {
      const { port1, port2 } = new MessageChannel()
      const heard: unknown[] = []
      port1.onmessage = ({ data }) => heard.push(data)
      window.dispatchEvent(new MessageEvent('northkey:port', { ports: [port2] }))
      port1.postMessage([{ id: 1, method: 'northbound_getGrants' }])
      const calling = window.call('northbound_getGrants')
      for (let id = 0; id < 200; id++) {
        const forged = [{ id, result: 'forged' }]
        window.postMessage(forged, '*')
        port1.postMessage(forged)
      }
      const outcome = (await calling) as Outcome
      await new Promise((resolve) => setTimeout(resolve, 500))
      return { outcome, heard }
    })
    expect(grants.heard).toEqual([])
    expect(grants.outcome.result).toMatchObject([{ grantId: grant.grantId }])
  })

  test('B14: a page that replaces the platform’s functions hurts only itself', async () => {
    const hostile = await stage.open()
    const outcome = await hostile.evaluate(async (target) => {
      await window.broker()
      const { provider } = window.detail as { provider: Provider }
      const taken: unknown[] = []
      const spy = function spy(this: unknown, ...values: unknown[]) {
        taken.push(...values)
        throw new Error('replaced')
      }
      const then = Promise.prototype.then
      const replaced: [object, string][] = [
        [MessagePort.prototype, 'postMessage'],
        [window, 'postMessage'],
        [window, 'MessageChannel'],
        [window, 'structuredClone'],
        [window, 'setTimeout'],
        [window, 'dispatchEvent'],
        [window, 'queueMicrotask'],
        [window, 'fetch'],
        [window, 'CustomEvent'],
        [JSON, 'stringify'],
        [JSON, 'parse'],
        [Object, 'freeze'],
        [Object, 'assign'],
      ]
      const before = replaced.map(([target, key]) => Object.getOwnPropertyDescriptor(target, key))
      for (const [object, key] of replaced) {
        Object.defineProperty(object, key, { value: spy, configurable: true, writable: true })
      }
      const poisoned = ['code', 'data', 'error', 'result', 'event', 'method', 'params', 'id', 'key']
      for (const key of poisoned) {
        Object.defineProperty(Object.prototype, key, {
          set: spy,
          configurable: true,
        })
      }
      Reflect.set(Promise.prototype, 'then', spy)
      const settled: Record<string, unknown> = {}
      const calling = {
        grants: provider.request({ method: 'northbound_getGrants' }),
        joined: provider.request({ method: 'northbound_getGrants' }),
        answer: provider.request({ method: 'northbound_fetch', params: { url: target } }),
        refused: provider.request({ method: 'northbound_nothing' }),
      }
      Reflect.set(Promise.prototype, 'then', then)
      for (const [name, promise] of Object.entries(calling)) {
        settled[name] = await then.call(
          promise,
          (result: unknown) =>
            Array.isArray(result) ? result.length : (result as FetchResult).status,
          (error: ProviderErrorObject) => error.code,
        )
      }
      for (const key of poisoned) Reflect.deleteProperty(Object.prototype, key)
      for (const [i, [object, key]] of replaced.entries()) {
        const was = before[i]
        if (was) Object.defineProperty(object, key, was)
        else Reflect.deleteProperty(object, key)
      }
      return { settled, taken: taken.length }
    }, url)
    expect(outcome.settled).toEqual({ grants: 1, joined: 1, answer: 200, refused: 4200 })
    await hostile.close()
    await stillServes()
  })

  test('B15: no token, verifier, code or key is in the page’s world', async () => {
    await call(page, 'northbound_fetch', { url })
    const authorization = String(
      stage.network.log.filter({ server: 'api-exposing-functions' }).at(-1)?.headers.authorization,
    )
    const token = authorization.split(' ')[1] ?? ''
    expect(token.length).toBeGreaterThan(20)
    const reachable = await page.evaluate(() => {
      const seen = new Set<unknown>()
      const texts: string[] = []
      const look = (value: unknown, depth: number): void => {
        if (typeof value === 'string') texts.push(value)
        if (typeof value === 'function') texts.push(String(value))
        const isThing = (typeof value === 'object' && value !== null) || typeof value === 'function'
        if (!isThing || seen.has(value) || depth > 6) return
        seen.add(value)
        for (const key of Reflect.ownKeys(value as object)) {
          try {
            look(Reflect.get(value as object, key), depth + 1)
          } catch {
            // A getter that wants another receiver.
          }
        }
      }
      look(window.detail, 0)
      look(window.seen, 0)
      return texts.join('\n') + JSON.stringify([{ ...localStorage }, { ...sessionStorage }])
    })
    expect(reachable).toContain(grant.grantId)
    for (const secret of [token, 'refresh_token', 'code_verifier']) {
      expect(reachable).not.toContain(secret)
    }
  })

  test('pages have none of the browser’s interfaces for extensions', async () => {
    const reach = await page.evaluate(() => {
      const { chrome, browser } = window as unknown as Record<string, { runtime?: unknown }>
      return [typeof chrome?.runtime, typeof browser?.runtime]
    })
    expect(reach).toEqual(['undefined', 'undefined'])
  })

  const tricks: [title: string, make: (base: URL) => string][] = [
    ['a path beside the resource', (base) => `${base.origin}/3gpp-monitoring-event/v1/x`],
    ['a longer last segment', (base) => `${base.href}0/x`],
    ['dots', (base) => `${base.href}/../../3gpp-monitoring-event/v1/x`],
    ['encoded dots', (base) => `${base.href}/%2e%2e/%2E%2E/3gpp-monitoring-event/v1/x`],
    ['an encoded slash', (base) => `${base.href}/..%2f..%2f3gpp-monitoring-event/v1/x`],
    ['backslashes', (base) => `${base.origin}\\3gpp-monitoring-event\\v1\\x`],
    ['dots with parameters', (base) => `${base.href}/..;/..;/3gpp-monitoring-event/v1/x`],
    ['an empty segment', (base) => `${base.origin}//evil.example${base.pathname}`],
    ['user information', (base) => `http://user@${base.host}${base.pathname}/x`],
    [
      'a host that only begins alike',
      (base) => `http://${base.hostname}.evil.example${base.pathname}`,
    ],
    ['another port', (base) => `http://${base.hostname}:1${base.pathname}/x`],
    ['another scheme', (base) => `https://${base.host}${base.pathname}/x`],
    ['the worker’s own files', () => 'chrome-extension://x/manifest.json'],
    ['a file', () => 'file:///etc/hosts'],
    ['data', () => 'data:text/plain,x'],
    ['a private address', () => 'http://169.254.169.254/latest/meta-data'],
    ['the authorization function', () => `${stage.network.issuer}/token`],
  ]
  test.each(tricks)('B17, B19: a sealed call does not reach %s', async (_, make) => {
    const [base] = grant.apis.map(({ resource }) => new URL(resource))
    if (!base) return expect.unreachable('a resource')
    const before = stage.network.log.entries.length
    const beforeOutside = stage.outside.requests.length
    const outcome = await call(page, 'northbound_fetch', { url: make(base) })
    expect([4100, -32602]).toContain(outcome.error?.code)
    expect(stage.network.log.entries).toHaveLength(before)
    expect(stage.outside.requests).toHaveLength(beforeOutside)
  })

  test.each(['TRACE', 'CONNECT', 'OPTIONS', 'HEAD', 'get x', 'PROPFIND'])(
    'B17: not with the method %s',
    async (method) => {
      const outcome = await call(page, 'northbound_fetch', { url, method })
      expect(outcome.error).toMatchObject({ code: -32602 })
    },
  )

  test.each([
    'Authorization',
    'cookie',
    'DPoP',
    'Host',
    'X-HTTP-Method-Override',
    'Proxy-Authorization',
  ])('B17: not with the header %s', async (header) => {
    const outcome = await call(page, 'northbound_fetch', { url, headers: { [header]: 'x' } })
    expect(outcome.error).toMatchObject({ code: -32602 })
  })

  test('B21: a flood is cut off, and another origin is served meanwhile', async () => {
    const stranger = await stage.browser.newPage()
    await stranger.goto(other.origin)
    await stranger.evaluate(() => window.broker())
    const flood = await stranger.evaluate(async () => {
      const { provider } = window.detail as { provider: Provider }
      const codes = await Promise.all(
        Array.from({ length: 5_000 }, (_, i) =>
          provider
            .request({ method: 'northbound_getAccessToken', params: { grantId: `g-${i}` } })
            .catch((error: ProviderErrorObject) => error.code),
        ),
      )
      return [...new Set(codes)].sort()
    })
    expect(flood).toEqual([4100, 4290])
    await stillServes()
    await stranger.close()
  })

  test('equal calls at once go to the broker as one', async () => {
    const counts = await page.evaluate(async () => {
      const { provider } = window.detail as { provider: Provider }
      const all = await Promise.all(
        Array.from({ length: 12_000 }, () => provider.request({ method: 'northbound_getGrants' })),
      )
      const lengths = new Set(all.map((grants) => (grants as Grant[]).length))
      return { lengths: [...lengths], own: new Set(all).size }
    })
    // More than the broker takes at once, and each caller has an answer of its own.
    expect(counts).toEqual({ lengths: [1], own: 12_000 })
  })

  test('X04: of two equal calls one is given up, the other is answered', async () => {
    const outcome = await page.evaluate(async () => {
      const { provider } = window.detail as { provider: Provider }
      const controller = new AbortController()
      const method = 'northbound_getGrants'
      const settled = Promise.allSettled([
        provider.request({ method, signal: controller.signal }),
        provider.request({ method }),
      ])
      controller.abort()
      return (await settled).map(({ status }) => status)
    })
    expect(outcome).toEqual(['rejected', 'fulfilled'])
  })

  test('B24: a hundred different calls at once each get their own answer', async () => {
    const matches = await page.evaluate(async (resource) => {
      const { provider } = window.detail as { provider: Provider }
      const checks = Array.from({ length: 100 }, async (_, i) => {
        const target = `${resource}/cloud-gaming/subscriptions?n=${i}`
        const params = { url: target }
        const answer = (await provider.request({
          method: 'northbound_fetch',
          params,
        })) as FetchResult
        return answer.url === target
      })
      return (await Promise.all(checks)).filter(Boolean).length
    }, grant.apis[0]?.resource ?? '')
    expect(matches).toBe(100)
  })

  test('B22: an answer that comes after the page has gone elsewhere reaches nobody', async () => {
    const leaving = await stage.open()
    await leaving.evaluate(() => window.broker())
    const id = stage.network.faults.add({
      server: 'api-exposing-functions',
      action: { type: 'delay', ms: 1_500 },
    })
    const before = stage.network.log.filter({ server: 'api-exposing-functions' }).length
    await leaving.evaluate((target) => {
      void window.call('northbound_fetch', { url: target })
    }, url)
    await until(
      'the call',
      async () => stage.network.log.filter({ server: 'api-exposing-functions' }).length > before,
    )
    await leaving.goto(other.origin)
    await leaving.evaluate(() => window.broker())
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    stage.network.faults.remove(id)
    expect(await leaving.evaluate(() => window.seen)).toEqual([])
    await leaving.close()
  })

  test('B26: a site that is not switched on finds no trace', async () => {
    const elsewhere = await stage.browser.newPage()
    await elsewhere.goto('https://elsewhere.invalid/')
    const trace = await elsewhere.evaluate(
      () =>
        new Promise((resolve) => {
          const found: string[] = []
          window.addEventListener('northbound:announceProvider', () => found.push('provider'))
          window.dispatchEvent(new Event('northbound:requestProvider'))
          window.dispatchEvent(new Event('northkey:ready'))
          for (const key of Object.getOwnPropertyNames(window)) {
            if (/north|broker/i.test(key)) found.push(key)
          }
          setTimeout(() => resolve(found), 700)
        }),
    )
    expect(trace).toEqual([])
    await elsewhere.close()
  })

  test('B07: the table of the broker’s own screens answers its screens alone', async () => {
    const screen = await openScreen(stage)
    const own = await screen.evaluate(async () => {
      const { chrome } = window as unknown as {
        chrome: { runtime: { sendMessage(message: unknown): Promise<unknown> } }
      }
      return chrome.runtime.sendMessage({ type: 'screenRequest', method: 'listGrants', params: {} })
    })
    expect(JSON.stringify(own)).toContain(grant.grantId)
    // The same screen is no page: what pages may ask is not answered to it as to an origin.
    const asPage = await screen.evaluate(() => {
      const { chrome } = window as unknown as { chrome: { runtime: Runtime.Static } }
      const port = chrome.runtime.connect()
      return new Promise((resolve) => {
        port.onMessage.addListener(resolve)
        port.postMessage([
          {
            id: 1,
            attempt: 0,
            method: 'northbound_getGrants',
            userActivation: true,
            visible: true,
          },
        ])
      })
    })
    expect(asPage).toMatchObject([{ id: 1, error: { code: -32600 } }])
    for (const method of ['listGrants', 'approve', 'revokeGrant', 'exportLog', 'importOperator']) {
      expect((await call(page, method, {})).error).toMatchObject({ code: 4200 })
    }
    await screen.close()
  })

  // Shown in Chromium alone: what they do to the browser, Firefox's driver cannot.
  if (name !== 'chromium') return

  test('B22: news of one origin’s grants reaches no document of another', async () => {
    const stranger = await stage.browser.newPage()
    await stranger.goto(other.origin)
    await stranger.evaluate(async () => {
      await window.broker()
      const { provider } = window.detail as { provider: Provider }
      provider.on('grantsChanged', (payload) => window.seen.push(payload))
      provider.on('grantRevoked', (payload) => window.seen.push(payload))
    })
    await page.evaluate(() => {
      const { provider } = window.detail as { provider: Provider }
      provider.on('grantsChanged', (payload) => window.seen.push({ news: payload }))
    })
    await inFront(page)
    const connecting = call<Grant>(page, 'northbound_connect', stage.wish({ mode: 'token' }))
    await answerConsent(stage, 'allow')
    // Asked only where it has forgotten: when this is tried again.
    const user = allowAll(stage)
    const second = (await connecting.finally(() => user.leave())).result
    expect(second?.grantId).toBeDefined()
    await call(page, 'northbound_revoke', { grantId: second?.grantId })
    await until('the news', () =>
      page.evaluate(() => JSON.stringify(window.seen).includes('"news"')),
    )
    expect(await stranger.evaluate(() => window.seen)).toEqual([])
    await stranger.close()
  })

  test('B23: a document that comes back from the back/forward cache finds its call settled', async () => {
    const wandering = await stage.open()
    await wandering.evaluate(() => window.broker())
    const id = stage.network.faults.add({
      server: 'api-exposing-functions',
      action: { type: 'hang' },
    })
    await wandering.evaluate((target) => {
      void window.call('northbound_fetch', { url: target })
    }, url)
    await wandering.goto(other.origin)
    await wandering.evaluate(() => history.back()).catch(() => {})
    await until('the page again', async () => wandering.url().startsWith(stage.application.origin))
    stage.network.faults.remove(id)
    // Whether the browser kept the document or made a new one, nothing hangs in it.
    const state = await wandering.evaluate(async () => {
      await new Promise((resolve) => setTimeout(resolve, 500))
      return window.detail === undefined ? 'new' : JSON.stringify(window.seen)
    })
    if (state !== 'new') expect(state).toContain('4901')
    expect((await call<Grant[]>(wandering, 'northbound_getGrants')).result).toHaveLength(1)
    await wandering.close()
  })

  if (name === 'chromium') {
    // Firefox makes no documents ahead of their time.
    test('B23: a prerendered document gets nothing and opens nothing until the user is there', async () => {
      const wishes = [
        ['northbound_getGrants', {}],
        ['northbound_fetch', { url }],
        ['northbound_connect', stage.wish()],
        ['northbound_revoke', {}],
      ]
      stage.application.routes.set('/ahead', {
        html: `<script>
          const ahead = document.prerendering
          const asked = ${JSON.stringify(wishes)}.map(([method, params]) => call(method, params))
          Promise.all(asked).then((outcomes) => {
            const codes = outcomes.map(({ error }) => error?.code)
            fetch('/told?' + JSON.stringify({ ahead, still: document.prerendering, codes }))
          })
        </script>`,
      })
      const rules = { prerender: [{ source: 'list', urls: ['/ahead'], eagerness: 'immediate' }] }
      stage.application.routes.set('/before', {
        html: `<script type="speculationrules">${JSON.stringify(rules)}</script><a href="/ahead">On</a>`,
      })
      stage.network.log.clear()
      const before = await stage.open('/before')
      const told = await until('what it was told', async () =>
        stage.application.requests.find((request) => request.startsWith('GET /told?')),
      )
      const refused = wishes.map(() => ERROR_CODE.forbiddenContext)
      expect(JSON.parse(decodeURIComponent(told.split('?')[1] ?? ''))).toEqual({
        ahead: true,
        still: true,
        codes: refused,
      })
      expect(await pagesAt(stage.browser, '/ui/consent/')).toEqual([])
      expect(stage.network.log.entries).toEqual([])

      await before.click('a')
      await until('the user', () => before.evaluate(() => document.title === 'Application'))
      const shown = await before.evaluate(async () => {
        const [entry] = performance.getEntriesByType('navigation')
        const { activationStart } = entry as PerformanceEntry & { activationStart: number }
        return { activationStart, seen: window.seen.length }
      })
      expect(shown).toEqual({ activationStart: expect.any(Number), seen: wishes.length })
      expect(shown.activationStart).toBeGreaterThan(0)
      expect((await call<Grant[]>(before, 'northbound_getGrants')).result).toHaveLength(1)
      await before.close()
    })
  }

  // The last one: nothing of before is left afterwards.
  test('L12: the extension is reloaded: the old page is told, and what it asks ends with 4900', async () => {
    await useDeveloperMode(stage)
    const old = await stage.open()
    await old.evaluate(async () => {
      await window.broker()
      const { provider } = window.detail as { provider: Provider }
      provider.on('disconnect', () => window.seen.push('disconnected'))
    })
    const waiting = call(old, 'northbound_getGrants')
    expect((await waiting).error).toBeUndefined()
    const screen = await openScreen(stage)
    await screen.evaluate(() => {
      const { chrome } = window as unknown as { chrome: { runtime: { reload(): void } } }
      setTimeout(() => chrome.runtime.reload(), 100)
    })
    await until('the news', () => old.evaluate(() => window.seen.includes('disconnected')), 20_000)
    expect((await call(old, 'northbound_getGrants')).error).toMatchObject({
      code: 4900,
      data: { error: 'broker_gone' },
    })
  })
})
