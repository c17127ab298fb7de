/**
 * `northbound_fetch` of the built extension: what leaves the browser and what comes back, by the log of
 * the API exposing functions.
 */

import { createHash } from 'node:crypto'
import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FaultAction, LogEntry } from '../../demo-site/network/index.ts'
import type { FetchParams, FetchResult, Grant } from '../../shared/messages/page-api.ts'
import { until } from './pages.ts'
import { gesture } from './quiet.ts'
import {
  answerConsent,
  BROWSERS,
  type Called,
  call,
  connect,
  type Stage,
  signInPage,
  startStage,
  tokenRequests,
} from './stage.ts'

const MIB = 1024 * 1024
const SUBSCRIPTIONS = '/3gpp-as-session-with-qos/v1/cloud-gaming/subscriptions'

const subscription = (notes = '') =>
  JSON.stringify({
    notificationDestination: `https://unused.invalid/${notes}`,
    qosReference: 'QOS_L',
    flowInfo: [{ flowId: 1, flowDescriptions: ['permit in ip from any to any'] }],
  })

describe.each(BROWSERS)('in %s, a sealed call', (name) => {
  let stage: Stage
  let page: Page
  let url: string

  beforeAll(async () => {
    stage = await startStage(name)
    page = await stage.open()
    expect((await connect(stage, page)).error).toBeUndefined()
    url = stage.network.apisOrigin + SUBSCRIPTIONS
  })
  afterAll(() => stage?.close())

  beforeEach(() => stage.network.log.clear())
  afterEach(() => stage.network.faults.clear())

  const sent = (): LogEntry[] => stage.network.log.filter({ server: 'api-exposing-functions' })

  const whenCalled = (action: FaultAction, times?: number) =>
    stage.network.faults.add({
      server: 'api-exposing-functions',
      path: SUBSCRIPTIONS,
      action,
      ...(times === undefined ? {} : { times }),
    })

  const fetchIt = (more: Partial<FetchParams> = {}): Promise<Called<FetchResult>> =>
    call(page, 'northbound_fetch', { url, ...more })

  /** The answer with the length and the digest of its body, which the driver would not carry. */
  const digested = (params: FetchParams) =>
    page.evaluate(async (given) => {
      const { result, error } = (await window.call('northbound_fetch', given)) as {
        result?: FetchResult
        error?: { code: number }
      }
      if (!result) return { error }
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', result.body))
      const hex = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
      return {
        status: result.status,
        isBuffer: result.body instanceof ArrayBuffer,
        length: result.body.byteLength,
        hex,
      }
    }, params)

  test('an ArrayBuffer goes out as the very bytes it is', async () => {
    const text = subscription('x'.repeat(60))
    const bytes = [...new TextEncoder().encode(text)]
    const outcome = await page.evaluate(
      (address, body) =>
        window.call('northbound_fetch', {
          url: address,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: new Uint8Array(body).buffer,
        }),
      url,
      bytes,
    )
    expect(outcome).toMatchObject({ result: { status: 201 } })
    expect(sent()[0]?.headers['content-length']).toBe(String(bytes.length))
    expect(sent()[0]?.body).toEqual(JSON.parse(text))
  })

  test('1 MiB comes back whole, as an ArrayBuffer', async () => {
    const body = 'northkey'.repeat(MIB / 8)
    whenCalled({ type: 'body', body, contentType: 'text/plain' })
    expect(await digested({ url })).toEqual({
      status: 200,
      isBuffer: true,
      length: MIB,
      hex: createHash('sha256').update(body).digest('hex'),
    })
  })

  test('5 MiB come back, and a byte more does not', async () => {
    whenCalled({ type: 'body', body: 'x'.repeat(5 * MIB), contentType: 'text/plain' }, 1)
    whenCalled({ type: 'body', body: 'x'.repeat(5 * MIB + 1), contentType: 'text/plain' })
    expect(await digested({ url })).toMatchObject({ status: 200, length: 5 * MIB })
    expect(await digested({ url })).toMatchObject({ error: { code: 4300 } })
  })

  test('a body of more than 5 MiB is not sent, counted in bytes', async () => {
    const outcomes = await page.evaluate(async (address) => {
      const common = { url: address, method: 'POST', headers: { 'content-type': 'text/plain' } }
      return [
        await window.call('northbound_fetch', {
          ...common,
          body: new ArrayBuffer(5 * 2 ** 20 + 1),
        }),
        await window.call('northbound_fetch', { ...common, body: 'é'.repeat(2.5 * 2 ** 20 + 1) }),
      ]
    }, url)
    for (const outcome of outcomes) expect(outcome).toMatchObject({ error: { code: -32602 } })
    expect(sent()).toEqual([])
  })

  test('T17: no cookie goes along, though the browser has one for the API', async () => {
    const { apisOrigin } = stage.network
    const headers = { 'set-cookie': 'session=secret; path=/' }
    stage.application.routes.set('/cookie', { html: '', headers })
    const other = await stage.open('/cookie')
    expect(new URL(apisOrigin).hostname).toBe(new URL(other.url()).hostname)
    await other.close()
    expect((await fetchIt()).result?.status).toBe(200)
    expect(sent()).toHaveLength(1)
    expect(sent()[0]?.headers).not.toHaveProperty('cookie')
    expect(sent()[0]?.headers).not.toHaveProperty('referer')
  })

  test.each([301, 302, 303, 307, 308] as const)('B18: a %i is not followed', async (status) => {
    const location = `${stage.application.origin}/stolen`
    whenCalled({ type: 'redirect', status, location })
    expect((await fetchIt()).error).toMatchObject({
      code: 4300,
      data: { error: 'invalid_response' },
    })
    expect(stage.application.requests.filter((line) => line.includes('/stolen'))).toEqual([])
    expect(sent()).toHaveLength(1)
  })

  test('B20: of the answer’s headers the page sees those of the list', async () => {
    const headers = {
      'set-cookie': 'a=b',
      authorization: String(sent()[0]?.headers.authorization ?? 'Bearer echo'),
      'dpop-nonce': 'n-1',
      'x-internal': 'x',
      etag: '"7"',
      'x-correlator': 'c-1',
    }
    whenCalled({ type: 'header', headers })
    const names = (await fetchIt()).result?.headers.map(([header]) => header) ?? []
    expect(names).toEqual(expect.arrayContaining(['content-type', 'etag', 'x-correlator']))
    for (const header of ['set-cookie', 'authorization', 'dpop-nonce', 'x-internal']) {
      expect(names).not.toContain(header)
    }
  })

  test('C04: a 401 costs one refresh and one more call', async () => {
    whenCalled({ type: 'status', status: 401, headers: { 'www-authenticate': 'Bearer' } }, 1)
    expect((await fetchIt()).result?.status).toBe(200)
    expect(sent()).toHaveLength(2)
    expect(sent()[0]?.headers.authorization).not.toBe(sent()[1]?.headers.authorization)
    expect(tokenRequests(stage)).toHaveLength(1)
  })

  test('C05: an API that always says 401 gets two calls, and its words reach the page', async () => {
    whenCalled({ type: 'status', status: 401, body: 'no' })
    expect((await fetchIt()).result?.status).toBe(401)
    expect(sent()).toHaveLength(2)
  })

  test('429 is told with its delay', async () => {
    whenCalled({ type: 'status', status: 429, headers: { 'retry-after': '7' } })
    expect((await fetchIt()).error).toMatchObject({
      code: 4290,
      data: { error: 'rate_limited', httpStatus: 429, retryAfterSeconds: 7 },
    })
    expect(sent()).toHaveLength(1)
  })

  test('an abort reaches the API', async () => {
    whenCalled({ type: 'hang' })
    const closed = new Promise<void>((resolve) => {
      const end = Date.now() + 10_000
      const look = setInterval(() => {
        if (sent().length === 1 || Date.now() > end) {
          clearInterval(look)
          resolve()
        }
      }, 20)
    })
    const outcome = page.evaluate(async (address) => {
      const { provider } = window.detail as {
        provider: import('../../shared/messages/page-api.ts').Provider
      }
      const controller = new AbortController()
      const calling = provider.request({
        method: 'northbound_fetch',
        params: { url: address },
        signal: controller.signal,
      })
      setTimeout(() => controller.abort(), 500)
      const begun = performance.now()
      return calling.then(
        () => 'answered',
        (error: Error) => `${error.name} ${performance.now() - begun < 5_000}`,
      )
    }, url)
    await closed
    expect(await outcome).toBe('AbortError true')
    // The broker is free at once: it does not wait for its own time limit.
    stage.network.faults.clear()
    expect((await fetchIt()).result?.status).toBe(200)
  })

  const challenge = (parameters: string, status: number): FaultAction => ({
    type: 'status',
    status,
    headers: { 'www-authenticate': `Bearer ${parameters}` },
  })

  test('RFC 9470: an API that wants another authentication is told to the page', async () => {
    whenCalled(challenge('error="insufficient_user_authentication", max_age="1"', 401))
    expect((await fetchIt()).error).toMatchObject({
      code: 4220,
      data: { error: 'insufficient_user_authentication', httpStatus: 401 },
    })
    expect(sent()).toHaveLength(1)
  })

  test('C06: an API that wants a scope which the operator does not offer is told to the page', async () => {
    whenCalled(challenge('error="insufficient_scope", scope="everything"', 403))
    expect((await fetchIt({ interactive: 'ifNeeded' })).error).toMatchObject({
      code: 4220,
      data: { error: 'insufficient_scope', httpStatus: 403 },
    })
    expect(sent()).toHaveLength(1)
  })

  test('a call without a grant that covers it is refused before anything is sent', async () => {
    const { apisOrigin } = stage.network
    const other = `${apisOrigin}/3gpp-monitoring-event/v1/cloud-gaming/subscriptions`
    expect((await fetchIt({ url: other })).error).toMatchObject({ code: 4100 })
    expect((await fetchIt({ method: 'TRACE' })).error).toMatchObject({ code: -32602 })
    expect((await fetchIt({ body: 'x' })).error).toMatchObject({ code: -32602 })
    expect(sent()).toEqual([])
  })

  test('C14: after the network took the token back and the refresh token too, the error is typed', async () => {
    const [subscriber] = stage.network.subscribers.all
    await stage.network.revoke(stage.network.issuer, subscriber?.id ?? '', 'cloud-gaming')
    await until('the end of the token', async () => {
      const { result, error } = await fetchIt()
      return result?.status === 401 || error !== undefined
    })
    expect((await fetchIt()).result).toBeUndefined()
  })
})

describe.each(BROWSERS)('in %s, an API that wants more scope', (name) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage(name, {
      operator: { onboarding: 'preregistered', clientAuthentication: 'none' },
    })
  })
  afterAll(() => stage?.close())

  test('C06: the user sees what is added, once, and the call is made with it', async () => {
    const camara = stage.network.operatorProfiles.find(({ profile }) => profile === 'camara')
    const api = camara?.apis.find(({ resource }) => resource.includes('quality-on-demand'))
    const [first, second] = api?.scopes ?? []
    if (!camara || !api || !first || !second) return expect.unreachable('an API with two scopes')
    const page = await stage.open()
    const { result: grant, error } = await connect(stage, page, {
      issuer: camara.issuer,
      apis: [
        { resource: api.resource, scope: first.scope, purpose: 'dpv:RequestedServiceProvision' },
      ],
    })
    expect(error).toBeUndefined()
    await gesture(page)
    const outcome = call<FetchResult>(page, 'northbound_fetch', {
      url: `${api.resource}/sessions/${crypto.randomUUID()}`,
      interactive: 'ifNeeded',
    })
    await answerConsent(stage, 'allow')
    const operator = await signInPage(stage)
    await operator.waitForSelector('[data-form=consent]')
    await operator.click('[data-form=consent] [value=allow]')
    expect((await outcome).result?.status).toBe(404)
    const grants = (await call<Grant[]>(page, 'northbound_getGrants')).result
    expect(grants?.map(({ grantId }) => grantId)).toEqual([grant?.grantId])
    expect(grants?.[0]?.apis[0]?.scope.split(' ').sort()).toEqual(
      [first.scope, second.scope].sort(),
    )
  })
})
