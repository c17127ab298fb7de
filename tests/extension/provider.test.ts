/** The page's provider in front of a content script that the test plays, over a real `MessagePort`. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { connectProvider } from '../../extension/provider/provider.ts'
import {
  CONTENT_READY_EVENT,
  type ContentToProvider,
  PORT_EVENT,
  type ProviderToContent,
} from '../../shared/messages/document-channel.ts'
import {
  ANNOUNCE_EVENT,
  type Provider,
  type ProviderDetail,
  REQUEST_EVENT,
} from '../../shared/messages/page-api.ts'

const PING_MS = 2_000

type Request = Extract<ProviderToContent, { type: 'request' }>

/** Node's own cannot be cancelled. */
class CancelableMessageEvent extends Event {
  readonly ports: MessagePort[]
  constructor(type: string, { ports = [], ...init }: MessageEventInit) {
    super(type, init)
    this.ports = ports
  }
}

function setUp() {
  const page = new EventTarget()
  const timers: (() => void)[] = []
  const reported: unknown[] = []
  const window = Object.assign(page, {
    setTimeout: (task: () => void) => timers.push(task),
    dispatchEvent: page.dispatchEvent.bind(page),
    reportError: (error: unknown) => reported.push(error),
    structuredClone,
    AbortSignal,
    CustomEvent,
    Promise,
  })
  vi.stubGlobal('window', window)
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  vi.stubGlobal('MessageEvent', CancelableMessageEvent)
  vi.stubGlobal('__VERSION__', '0.0.0')

  const heard: ProviderToContent[] = []
  const waiting: ((message: ProviderToContent) => void)[] = []
  let port: MessagePort | undefined
  let offers = 0
  page.addEventListener(PORT_EVENT, (event) => {
    offers++
    event.preventDefault()
    ;[port] = (event as MessageEvent).ports
    if (!port) return
    port.onmessage = ({ data }: MessageEvent<ProviderToContent>) => {
      const next = waiting.shift()
      if (next) next(data)
      else heard.push(data)
    }
  })
  connectProvider()
  const detail = () => {
    let found: ProviderDetail | undefined
    const hear = (event: Event) => {
      found = (event as CustomEvent<ProviderDetail>).detail
    }
    page.addEventListener(ANNOUNCE_EVENT, hear, { once: true })
    page.dispatchEvent(new Event(REQUEST_EVENT))
    return found
  }
  const provider = detail()?.provider as Provider
  const answer = (message: ContentToProvider) => port?.postMessage(message)
  return {
    provider,
    detail,
    reported,
    /** The next message of the page. */
    next: () =>
      new Promise<ProviderToContent>((resolve) => {
        const first = heard.shift()
        if (first) resolve(first)
        else waiting.push(resolve)
      }),
    heard,
    answer,
    /** The pings that are due. */
    tick: () => {
      for (const task of timers.splice(0)) task()
    },
    close: () => port?.close(),
    /** A content script arrives. */
    contentReady: () => page.dispatchEvent(new Event(CONTENT_READY_EVENT)),
    offers: () => offers,
  }
}

let page: ReturnType<typeof setUp>
beforeEach(() => {
  page = setUp()
})
afterEach(() => {
  page.close()
  vi.unstubAllGlobals()
})

const grants = { method: 'northbound_getGrants' }
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('the provider', () => {
  test('PAGE-API section 1: what it announces is frozen, and announced on request alone', () => {
    const detail = page.detail()
    const parts = [detail, detail?.info, detail?.provider, ...Object.values(detail?.provider ?? {})]
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(Array(6).fill(true))
    expect(detail?.info).toMatchObject({
      protocol: '1',
      uuid: expect.stringMatching(/^[\da-f-]{36}$/),
    })
  })

  test('a call is a message, and its answer settles it', async () => {
    const calling = page.provider.request(grants)
    const { id } = (await page.next()) as Request
    page.answer({ type: 'response', id, result: [1] })
    expect(await calling).toEqual([1])
    // Nothing is awaited any more: nothing is pinged.
    page.tick()
    await settled()
    expect(page.heard).toEqual([])
  })

  test('PAGE-API section 4: an error is an Error with code and data', async () => {
    const calling = page.provider.request(grants)
    const { id } = (await page.next()) as Request
    const data = { error: 'no_grant' }
    page.answer({ type: 'response', id, error: { code: 4100, message: 'none', data } })
    const error = await calling.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'ProviderError', code: 4100, message: 'none', data })
  })

  test('a thousand equal calls are one message, and each caller has its own answer', async () => {
    const calling = Array.from({ length: 1_000 }, () => page.provider.request(grants))
    const { id } = (await page.next()) as Request
    await settled()
    expect(page.heard).toEqual([])
    page.answer({ type: 'response', id, result: [{ grantId: 'g' }] })
    const answers = await Promise.all(calling)
    expect(new Set(answers).size).toBe(1_000)
    expect(answers.at(-1)).toEqual([{ grantId: 'g' }])
  })

  test('an equal call after the answer is asked anew', async () => {
    for (const result of ['first', 'second']) {
      const calling = page.provider.request(grants)
      const { id } = (await page.next()) as Request
      page.answer({ type: 'response', id, result })
      expect(await calling).toBe(result)
    }
  })

  test('X04: who gives up does not take the others along; the last one ends the call', async () => {
    const [one, two] = [new AbortController(), new AbortController()]
    const first = page.provider.request({ ...grants, signal: one.signal })
    const second = page.provider.request({ ...grants, signal: two.signal })
    const { id } = (await page.next()) as Request
    one.abort()
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    await settled()
    expect(page.heard).toEqual([])
    two.abort()
    await expect(second).rejects.toMatchObject({ name: 'AbortError' })
    expect(await page.next()).toEqual({ type: 'abort', id })
  })

  test('a call that was given up is not joined by the next one', async () => {
    const controller = new AbortController()
    const first = page.provider.request({ ...grants, signal: controller.signal })
    const { id } = (await page.next()) as Request
    controller.abort()
    await expect(first).rejects.toThrow()
    expect(await page.next()).toMatchObject({ type: 'abort' })
    const second = page.provider.request(grants)
    const again = (await page.next()) as Request
    expect(again.id).not.toBe(id)
    page.answer({ type: 'response', id, result: 'late' })
    page.answer({ type: 'response', id: again.id, result: 'new' })
    expect(await second).toBe('new')
  })

  test.each([
    [undefined],
    [null],
    [{ method: 7 }],
    [{ ...grants, signal: {} }],
    [{ method: 'northbound_fetch', params: { url: () => '' } }],
  ])('PAGE-API section 4: %j is refused with invalid_params', async (args) => {
    await expect(page.provider.request(args as never)).rejects.toMatchObject({ code: -32602 })
  })

  test('B13: an answer to nothing, and a second answer, are dropped', async () => {
    page.answer({ type: 'response', id: 1, result: 'forged' })
    await settled()
    const calling = page.provider.request(grants)
    const { id } = (await page.next()) as Request
    page.answer({ type: 'response', id, result: 'true' })
    page.answer({ type: 'response', id, result: 'second' })
    expect(await calling).toBe('true')
  })

  test('B14: members that every object has been given are no answer', async () => {
    const names = ['error', 'result', 'data', 'key', 'signal']
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, { set: () => {}, configurable: true })
    }
    try {
      const calling = page.provider.request(grants)
      const { id } = (await page.next()) as Request
      page.answer({ type: 'response', id, result: 'true' })
      expect(await calling).toBe('true')
    } finally {
      for (const name of names) Reflect.deleteProperty(Object.prototype, name)
    }
  })
})

describe('the broker’s end', () => {
  test('L12: what is awaited ends with 4900, and the page is told', async () => {
    const told: unknown[] = []
    page.provider.on('disconnect', (payload) => told.push(payload))
    const calling = page.provider.request(grants)
    await page.next()
    page.answer({ type: 'event', event: 'disconnect', payload: {} })
    await expect(calling).rejects.toMatchObject({ code: 4900, data: { error: 'broker_gone' } })
    expect(told).toEqual([{}])
    await expect(page.provider.request(grants)).rejects.toMatchObject({ code: 4900 })
    expect(page.detail()).toBeUndefined()
  })

  test('L12: the script of a reloaded extension does not get the port that another has: it is the end', async () => {
    const calling = page.provider.request(grants)
    const { id } = (await page.next()) as Request
    page.answer({ type: 'response', id, result: [] })
    expect(await calling).toEqual([])
    const waiting = page.provider.request(grants)
    page.contentReady()
    await expect(waiting).rejects.toMatchObject({ code: 4900, data: { error: 'broker_gone' } })
    expect(page.offers()).toBe(1)
    expect(page.detail()).toBeUndefined()
  })

  test(`silence over two pings of ${PING_MS} ms is the end`, async () => {
    const calling = page.provider.request(grants)
    await page.next()
    page.tick()
    expect(await page.next()).toEqual({ type: 'ping' })
    page.answer({ type: 'pong' })
    await settled()
    page.tick()
    page.tick()
    page.tick()
    await expect(calling).rejects.toMatchObject({ code: 4900 })
  })
})

describe('events', () => {
  test('reach each listener once; one that fails does not keep them from the others', async () => {
    const heard: unknown[] = []
    const listener = (payload: unknown) => heard.push(payload)
    page.provider.on('grantsChanged', () => {
      throw new Error('listener')
    })
    page.provider.on('grantsChanged', listener)
    page.provider.on('grantsChanged', listener)
    page.answer({ type: 'event', event: 'grantsChanged', payload: { grants: [] } })
    await settled()
    expect(heard).toEqual([{ grants: [] }])
    expect(page.reported).toHaveLength(1)
    page.provider.removeListener('grantsChanged', listener)
    page.answer({ type: 'event', event: 'grantsChanged', payload: { grants: [] } })
    await settled()
    expect(heard).toHaveLength(1)
  })
})
