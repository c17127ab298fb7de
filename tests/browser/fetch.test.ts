/**
 * `northbound_fetch` of the built extension: what leaves the browser and what comes back, by the log of
 * the API exposing functions.
 *
 * Seen to fail when `requestResource` sends credentials (T17) and follows redirects (B18), when all
 * headers pass (B20), when a refused token is not replaced (C04, C05, C14), and when `askAgain` says that
 * it asked and did not (C06).
 */

import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FaultAction, LogEntry } from '../../demo-site/network/index.ts'
import type { FetchParams, FetchResult, Grant } from '../../shared/messages/page-api.ts'
import { gesture } from './support/known-subscriber.ts'
import { until } from './support/pages.ts'
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
} from './support/stage.ts'

const SUBSCRIPTIONS = '/3gpp-as-session-with-qos/v1/cloud-gaming/subscriptions'

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

  const challenge = (parameters: string, status: number): FaultAction => ({
    type: 'status',
    status,
    headers: { 'www-authenticate': `Bearer ${parameters}` },
  })

  test('C06: an API that wants a scope which the operator does not offer is told to the page', async () => {
    whenCalled(challenge('error="insufficient_scope", scope="everything"', 403))
    expect((await fetchIt({ interactive: 'ifNeeded' })).error).toMatchObject({
      code: 4220,
      data: { error: 'insufficient_scope', httpStatus: 403 },
    })
    expect(sent()).toHaveLength(1)
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
