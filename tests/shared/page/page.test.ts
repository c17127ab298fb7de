/** The client for pages, with a provider that the test simulates. */

import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  ANNOUNCE_EVENT,
  type FetchResult,
  type Provider,
  type ProviderInfo,
  REQUEST_EVENT,
  type RequestArguments,
} from '../../../shared/messages/page-api.ts'
import { findBroker, isProviderError } from '../../../shared/page/index.ts'

const info: ProviderInfo = {
  uuid: '3f6b0c1e-5d0f-4a57-9a39-0b6d8a4f7b10',
  name: 'Northkey',
  rdns: 'example.northkey',
  icon: 'data:image/svg+xml,x',
  version: '1.0.0',
  protocol: '1',
}

const undo: (() => void)[] = []

beforeAll(() => {
  // A worker has no document, by which the client tells a page.
  if (typeof document === 'undefined') Object.assign(globalThis, { document: {} })
  // Node has events, but no global object that receives them.
  if (typeof globalThis.addEventListener === 'function') return
  const target = new EventTarget()
  Object.assign(globalThis, {
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
    dispatchEvent: target.dispatchEvent.bind(target),
  })
})

afterEach(() => {
  for (const step of undo.splice(0)) step()
})

/** Announces on request, as a broker does. */
function announce(detail: unknown): { asks: number } {
  const seen = { asks: 0 }
  const answer = () => {
    seen.asks++
    dispatchEvent(new CustomEvent(ANNOUNCE_EVENT, { detail }))
  }
  addEventListener(REQUEST_EVENT, answer)
  undo.push(() => removeEventListener(REQUEST_EVENT, answer))
  return seen
}

function fakeProvider(answer: (args: RequestArguments) => unknown) {
  const calls: RequestArguments[] = []
  const listeners = new Map<string, (payload: unknown) => void>()
  const provider: Provider = {
    async request(args) {
      calls.push(args)
      return answer(args) as never
    },
    on: (event, listener) => void listeners.set(event, listener as (payload: unknown) => void),
    removeListener: (event) => void listeners.delete(event),
  }
  return { provider, calls, listeners }
}

async function find(answer: (args: RequestArguments) => unknown = () => undefined) {
  const fake = fakeProvider(answer)
  announce({ info, provider: fake.provider })
  const broker = await findBroker()
  if (broker === undefined) throw new Error('no broker')
  return { broker, ...fake }
}

describe('findBroker (page contract section 1)', () => {
  test('requests an announcement once and returns the broker that announces itself', async () => {
    const { provider } = fakeProvider(() => undefined)
    const seen = announce({ info, provider })
    const broker = await findBroker()
    expect(broker?.info).toBe(info)
    expect(broker?.provider).toBe(provider)
    expect(seen.asks).toBe(1)
  })

  test('returns undefined if there is no broker', async () => {
    expect(await findBroker({ timeoutMs: 5 })).toBeUndefined()
  })

  test('waits for a broker that announces itself later', async () => {
    const { provider } = fakeProvider(() => undefined)
    const finding = findBroker({ timeoutMs: 2000 })
    dispatchEvent(new CustomEvent(ANNOUNCE_EVENT, { detail: { info, provider } }))
    expect((await finding)?.info).toBe(info)
  })

  test.each([
    [null],
    [{}],
    [{ info }],
    [{ provider: {} }],
    [{ info: { ...info, protocol: '2' }, provider: {} }],
    ['text'],
  ])('ignores an announcement %j', async (detail) => {
    announce(detail)
    expect(await findBroker({ timeoutMs: 5 })).toBeUndefined()
  })

  test('selects a broker by the filter of the page if several announce themselves', async () => {
    const { provider } = fakeProvider(() => undefined)
    announce({ info: { ...info, rdns: 'example.other' }, provider })
    announce({ info, provider })
    const broker = await findBroker({ filter: ({ rdns }) => rdns === 'example.northkey' })
    expect(broker?.info.rdns).toBe('example.northkey')
  })
})

describe('the methods (page contract section 2)', () => {
  test('pass their names, parameters and signal to the provider', async () => {
    const { broker, calls } = await find()
    const { signal } = new AbortController()
    const params = { issuer: 'https://as.example', apis: [] }
    await broker.getInfo()
    await broker.connect(params, { signal })
    await broker.getGrants()
    await broker.getAccessToken({ grantId: 'g' })
    await broker.getAccessToken()
    await broker.createProof({ grantId: 'g', htm: 'GET', htu: 'https://x' })
    await broker.revoke()
    expect(calls).toEqual([
      { method: 'broker_getInfo' },
      { method: 'northbound_connect', params, signal },
      { method: 'northbound_getGrants' },
      { method: 'northbound_getAccessToken', params: { grantId: 'g' } },
      { method: 'northbound_getAccessToken' },
      {
        method: 'northbound_createProof',
        params: { grantId: 'g', htm: 'GET', htu: 'https://x' },
      },
      { method: 'northbound_revoke' },
    ])
  })

  test('an event listener stays until the returned function removes it', async () => {
    const { broker, listeners } = await find()
    const heard: unknown[] = []
    const stop = broker.on('grantsChanged', (payload) => heard.push(payload))
    listeners.get('grantsChanged')?.({ grants: [] })
    expect(heard).toEqual([{ grants: [] }])
    stop()
    expect(listeners.size).toBe(0)
  })

  test('an error of the convention is recognized by its fields', () => {
    const error = Object.assign(new Error('x'), { code: 4001, data: { error: 'access_denied' } })
    expect(isProviderError(error)).toBe(true)
    expect(isProviderError(new Error('x'))).toBe(false)
    expect(isProviderError(undefined)).toBe(false)
    expect(isProviderError({ code: 4001 })).toBe(false)
  })
})

describe('fetch', () => {
  const result: FetchResult = {
    url: 'https://api.example/v1/final',
    status: 201,
    statusText: 'Created',
    headers: [
      ['content-type', 'application/json'],
      ['location', '/v1/sessions/1'],
    ],
    body: new TextEncoder().encode('{"a":1}').buffer as ArrayBuffer,
  }

  test('returns a Response of the platform', async () => {
    const { broker } = await find(() => result)
    const response = await broker.fetch('https://api.example/v1/sessions')
    expect(response).toBeInstanceOf(Response)
    expect([response.status, response.statusText, response.url, response.ok]).toEqual([
      201,
      'Created',
      result.url,
      true,
    ])
    expect(response.headers.get('location')).toBe('/v1/sessions/1')
    expect(await response.json()).toEqual({ a: 1 })
  })

  test('sends method, headers and the octets of the body', async () => {
    const { broker, calls } = await find(() => result)
    await broker.fetch('https://api.example/v1', {
      method: 'POST',
      headers: { 'X-Correlator': 'c' },
      body: 'ä',
      grantId: 'g',
      interactive: 'never',
    })
    const params = calls[0]?.params as Record<string, unknown>
    expect(params).toMatchObject({
      url: 'https://api.example/v1',
      method: 'POST',
      grantId: 'g',
      interactive: 'never',
    })
    expect(params.headers).toMatchObject({ 'x-correlator': 'c' })
    expect([...new Uint8Array(params.body as ArrayBuffer)]).toEqual([0xc3, 0xa4])
  })

  test('accepts a Request and a URL', async () => {
    const { broker, calls } = await find(() => result)
    await broker.fetch(new URL('https://api.example/v1?a=b'))
    await broker.fetch(new Request('https://api.example/v1', { method: 'DELETE' }))
    expect(calls.map(({ params }) => params)).toMatchObject([
      { url: 'https://api.example/v1?a=b', method: 'GET' },
      { url: 'https://api.example/v1', method: 'DELETE' },
    ])
    expect(calls.every(({ params }) => !('body' in (params ?? {})))).toBe(true)
  })

  test.each([204, 205, 304])('a response with status %i has no body', async (status) => {
    const { broker } = await find(() => ({ ...result, status, body: new ArrayBuffer(0) }))
    const response = await broker.fetch('https://api.example/v1')
    expect([response.status, response.body]).toEqual([status, null])
  })

  test('passes the signal on, also a signal that was aborted before', async () => {
    const { broker, calls } = await find(() => result)
    const controller = new AbortController()
    await broker.fetch('https://api.example/v1', { signal: controller.signal })
    expect(calls[0]?.signal?.aborted).toBe(false)
    controller.abort()
    expect(calls[0]?.signal?.aborted).toBe(true)
    await expect(
      broker.fetch('https://api.example/v1', { signal: controller.signal }),
    ).rejects.toThrow()
  })
})
