/**
 * The page's provider, with a content script that the test simulates over a real `MessagePort`.
 *
 * Seen to fail when: each call is a message of its own, a single call waits for the end of the task, parameters
 * are read at the time of sending, the kind of a message is read from an inherited member, all callers get the
 * same object or a flat copy of a nested result, and the listener on a signal is removed only after the answer. H16: when
 * the listeners are added once alone. W04: when the port is made at the start, and when a provider is announced whose
 * port nobody has taken.
 */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { connectProvider } from '../../../extension/provider/provider.ts'
import {
  CONTENT_READY_EVENT,
  type ContentToProvider,
  type PageCall,
  PORT_EVENT,
  type ProviderToContent,
} from '../../../shared/messages/document-channel.ts'
import {
  ANNOUNCE_EVENT,
  type Provider,
  type ProviderDetail,
  type ProviderEvent,
  REQUEST_EVENT,
} from '../../../shared/messages/page-api.ts'
import { decodeRequest } from '../../../shared/messages/request-deduplication.ts'
import { WITHIN_MS } from '../support/time-limit.ts'

const PING_MS = 2_000

/** The `MessageEvent` of Node cannot be cancelled. */
class CancelableMessageEvent extends Event {
  readonly ports: MessagePort[]
  constructor(type: string, { ports = [], ...init }: MessageEventInit) {
    super(type, init)
    this.ports = ports
  }
}

const PORT_TYPE = `${PORT_EVENT}0.0.0`

function setUp({ hasContent = true } = {}) {
  const page = new EventTarget()
  const timers: (() => void)[] = []
  const reported: unknown[] = []
  const window = Object.assign(page, {
    setTimeout: (task: () => void) => timers.push(task),
    // Reports an error of the task, like a browser.
    queueMicrotask: (task: () => void) =>
      queueMicrotask(() => {
        try {
          task()
        } catch (error) {
          reported.push(error)
        }
      }),
    structuredClone,
    AbortSignal,
    Promise,
  })
  vi.stubGlobal('window', window)
  vi.stubGlobal('dispatchEvent', page.dispatchEvent.bind(page))
  let channels = 0
  vi.stubGlobal(
    'MessageChannel',
    class extends MessageChannel {
      constructor() {
        super()
        channels++
      }
    },
  )
  const added: [type: string, listener: unknown][] = []
  vi.stubGlobal('addEventListener', (type: string, listener: () => void) => {
    added.push([type, listener])
    page.addEventListener(type, listener)
  })
  const observers: (() => void)[] = []
  vi.stubGlobal('document', {})
  vi.stubGlobal(
    'MutationObserver',
    class {
      constructor(callback: () => void) {
        observers.push(callback)
      }
      observe(): void {}
    },
  )
  vi.stubGlobal('MessageEvent', CancelableMessageEvent)
  vi.stubGlobal('__VERSION__', '0.0.0')

  const batches: ProviderToContent[][] = []
  const received: ProviderToContent[] = []
  const waiting: ((message: ProviderToContent) => void)[] = []
  let port: MessagePort | undefined
  let offers = 0
  const takePort = (event: Event) => {
    offers++
    event.preventDefault()
    ;[port] = (event as MessageEvent).ports
    if (!port) return
    port.onmessage = ({ data }: MessageEvent<ProviderToContent[]>) => {
      batches.push(data)
      for (const message of data) {
        const next = waiting.shift()
        if (next) next(message)
        else received.push(message)
      }
    }
  }
  if (hasContent) page.addEventListener(PORT_TYPE, takePort)
  connectProvider()
  const detail = () => {
    let found: ProviderDetail | undefined
    const handleAnnouncement = (event: Event) => {
      found = (event as CustomEvent<ProviderDetail>).detail
    }
    page.addEventListener(ANNOUNCE_EVENT, handleAnnouncement, { once: true })
    page.dispatchEvent(new Event(REQUEST_EVENT))
    return found
  }
  // The content script may start after the provider.
  page.dispatchEvent(new Event(CONTENT_READY_EVENT))
  const channelsAtLoad = channels
  const provider = detail()?.provider as Provider
  const answer = (...messages: ContentToProvider[]) => port?.postMessage(messages)
  return {
    provider,
    detail,
    reported,
    /** The next message of the page. */
    next: () =>
      new Promise<ProviderToContent>((resolve) => {
        const first = received.shift()
        if (first) resolve(first)
        else waiting.push(resolve)
      }),
    /** The batches as they arrived. */
    batches,
    answer,
    /** Runs the timers that are due: the pings. */
    runTimers: () => {
      for (const task of timers.splice(0)) task()
    },
    close: () => port?.close(),
    /** Listeners that the provider added to the window. */
    added,
    /** The nodes of the document change, as by `document.open()`. */
    changeDocument: () => {
      for (const callback of observers) callback()
    },
    /** A content script becomes ready. */
    contentReady: () => page.dispatchEvent(new Event(CONTENT_READY_EVENT)),
    offers: () => offers,
    channelsAtLoad,
    channels: () => channels,
    /** A content script becomes ready, and takes the port that is offered. */
    startContent: () => {
      page.addEventListener(PORT_TYPE, takePort)
      page.dispatchEvent(new Event(CONTENT_READY_EVENT))
    },
    /** The announcements that nobody has asked for just now. */
    listenForAnnouncements: () => {
      const found: unknown[] = []
      page.addEventListener(ANNOUNCE_EVENT, (event) => found.push((event as CustomEvent).detail))
      return found
    },
  }
}

const isBarrier = (message: ProviderToContent) =>
  'method' in message && message.method === 'barrier'

/** The value and all objects in it. */
function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return []
  return [value, ...Object.values(value).flatMap(objectsIn)]
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

/**
 * Waits for the messages that the page has sent. A further call is the barrier: a port keeps the order.
 *
 * @returns The messages before the barrier.
 */
async function receiveSentMessages(): Promise<ProviderToContent[]> {
  const messages: ProviderToContent[] = []
  void page.provider.request({ method: 'barrier' })
  for (;;) {
    const message = await page.next()
    if (isBarrier(message)) return messages
    messages.push(message)
  }
}

/** Waits until the page has handled what was sent to it. A further event is the barrier: a port keeps the order. */
async function deliverAnswers(): Promise<void> {
  const event = 'barrier' as ProviderEvent
  await new Promise<void>((resolve) => {
    function listener(): void {
      page.provider.removeListener(event, listener)
      resolve()
    }
    page.provider.on(event, listener)
    page.answer({ id: 0, event, payload: {} })
  })
}

describe('the provider', () => {
  test('H16: adds its listeners again, and the same ones, when the nodes of the document are replaced', () => {
    const before = [...page.added]
    expect(before.map(([type]) => type).sort()).toEqual([CONTENT_READY_EVENT, REQUEST_EVENT].sort())
    page.changeDocument()
    expect(page.added).toEqual([...before, ...before])
    expect(page.detail()).toBeDefined()
  })

  test('W04: makes no port before the page asks for a provider, and one then', () => {
    expect(page.channelsAtLoad).toBe(0)
    page.detail()
    expect([page.channels(), page.offers()]).toEqual([1, 1])
  })

  test('W04: is announced once a content script has its port', () => {
    page.close()
    page = setUp({ hasContent: false })
    expect(page.detail()).toBeUndefined()
    const announced = page.listenForAnnouncements()
    page.startContent()
    expect(announced).toHaveLength(1)
    expect(page.detail()).toBe(announced[0])
    expect([page.channels(), page.offers()]).toEqual([1, 1])
  })

  test('PAGE-API section 1: the announced detail is frozen, and announced on request only', () => {
    const detail = page.detail()
    const parts = [detail, detail?.info, detail?.provider, ...Object.values(detail?.provider ?? {})]
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(Array(6).fill(true))
    expect(detail?.info).toMatchObject({
      protocol: '1',
      uuid: expect.stringMatching(/^[\da-f-]{36}$/),
    })
  })

  test('a call is one message, and its answer settles the call', async () => {
    const calling = page.provider.request(grants)
    const { id } = (await page.next()) as PageCall
    page.answer({ id, result: [1] })
    expect(await calling).toEqual([1])
    // No call is pending any more: no ping is sent.
    page.runTimers()
    await receiveSentMessages()
    expect(page.batches.slice(1).map((batch) => batch.map(isBarrier))).toEqual([[true]])
  })

  test('PAGE-API section 4: an error is an Error with code and data', async () => {
    const calling = page.provider.request(grants)
    const { id } = (await page.next()) as PageCall
    const data = { error: 'no_grant' }
    page.answer({ id, error: { code: 4100, message: 'none', data } })
    const error = await calling.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'ProviderError', code: 4100, message: 'none', data })
  })

  test.each([
    ['northbound_getGrants', []],
    ['northbound_getGrants', [{ grantId: 'g', apis: [{ resource: 'https://api.example' }] }]],
    ['northbound_getAccessToken', { accessToken: 'opaque', tokenType: 'DPoP', expiresAt: 1 }],
    ['broker_getInfo', { name: 'Northkey', features: [] }],
  ])(
    'a thousand equal calls of %s are deduplicated: one message, and an answer for each call',
    async (method, result) => {
      const calling = Array.from({ length: 1_000 }, () => page.provider.request({ method }))
      const { id } = (await page.next()) as PageCall
      expect(await receiveSentMessages()).toEqual([])
      page.answer({ id, result })
      const answers = await Promise.all(calling)
      expect(answers).toStrictEqual(Array(1_000).fill(result))
      // No object is shared by two answers, at any depth.
      const [left, right] = answers.slice(-2).map((answer) => objectsIn(answer))
      expect(new Set(answers).size).toBe(1_000)
      expect(left?.filter((object) => right?.includes(object))).toEqual([])
    },
  )

  test('different calls of one task: the first is sent at once, the others in one batch', async () => {
    const params = { grantId: '' }
    const calling = ['a', 'b', 'c'].map((grantId) => {
      params.grantId = grantId
      return page.provider.request({ method: 'northbound_getAccessToken', params })
    })
    const messages = [await page.next(), await page.next(), await page.next()] as PageCall[]
    expect(page.batches).toEqual([[messages[0]], messages.slice(1)])
    // With the parameters at the time of the calls.
    const asked = messages.map((message) => decodeRequest(message).params)
    expect(asked).toEqual([{ grantId: 'a' }, { grantId: 'b' }, { grantId: 'c' }])
    page.answer(...messages.map(({ id }, index) => ({ id, result: asked[index] })).reverse())
    expect(await Promise.all(calling)).toEqual(asked)
  })

  test('B14: parameters are read once, and are sent although every object has setters for them', async () => {
    let reads = 0
    const params = {
      get grantId() {
        reads++
        return reads === 1 ? 'g' : () => {}
      },
    }
    Object.defineProperty(Object.prototype, 'grantId', { set: () => {}, configurable: true })
    try {
      void page.provider.request<string>({ method: 'northbound_getAccessToken', params })
    } finally {
      Reflect.deleteProperty(Object.prototype, 'grantId')
    }
    const message = decodeRequest((await page.next()) as PageCall)
    expect(message).toMatchObject({ method: 'northbound_getAccessToken', params: { grantId: 'g' } })
    expect(reads).toBe(1)
  })

  test('an equal call after the answer is a new request', async () => {
    for (const result of ['first', 'second']) {
      const calling = page.provider.request(grants)
      const { id } = (await page.next()) as PageCall
      page.answer({ id, result })
      expect(await calling).toBe(result)
    }
  })

  test('X04: an abort of one caller does not abort the others; the last abort ends the call', async () => {
    const [firstAbort, secondAbort] = [new AbortController(), new AbortController()]
    const first = page.provider.request({ ...grants, signal: firstAbort.signal })
    const second = page.provider.request({ ...grants, signal: secondAbort.signal })
    const { id } = (await page.next()) as PageCall
    firstAbort.abort()
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    expect(await receiveSentMessages()).toEqual([])
    secondAbort.abort()
    await expect(second).rejects.toMatchObject({ name: 'AbortError' })
    expect(await page.next()).toEqual({ id })
  })

  test('X04: an abort after the answer does not affect a later call', async () => {
    const late = new AbortController()
    const later: Promise<unknown>[] = []
    const first = page.provider.request({ ...grants, signal: late.signal }).then(() => {
      later.push(page.provider.request(grants))
      late.abort()
    })
    page.answer({ id: ((await page.next()) as PageCall).id, result: [] })
    await first
    const { id } = (await page.next()) as PageCall
    later.push(page.provider.request(grants))
    expect(await receiveSentMessages()).toEqual([])
    page.answer({ id, result: ['anew'] })
    expect(await Promise.all(later)).toEqual([['anew'], ['anew']])
  })

  test('B14: an answer after an abort is ignored, although every object has an event member', async () => {
    const payloads: unknown[] = []
    page.provider.on('disconnect', (payload) => payloads.push(payload))
    const controller = new AbortController()
    const calling = page.provider.request({ ...grants, signal: controller.signal })
    const { id } = (await page.next()) as PageCall
    controller.abort()
    await expect(calling).rejects.toMatchObject({ name: 'AbortError' })
    Object.defineProperty(Object.prototype, 'event', { value: 'disconnect', configurable: true })
    try {
      page.answer({ id, result: [] })
      await deliverAnswers()
    } finally {
      Reflect.deleteProperty(Object.prototype, 'event')
    }
    expect(payloads).toEqual([])
  })

  test('B14: a signal that throws does not keep the other callers from their answer', async () => {
    const { signal } = new AbortController()
    const thrown = new Error('not this one')
    signal.removeEventListener = () => {
      throw thrown
    }
    const calling = [{ signal }, {}, { signal }].map((more) =>
      page.provider.request({ ...grants, ...more }),
    )
    const { id } = (await page.next()) as PageCall
    page.answer({ id, result: [] })
    expect(await Promise.all(calling)).toEqual([[], [], []])
    expect(page.reported).toEqual([thrown, thrown])
  })

  test('an aborted call is not joined by the next equal call', async () => {
    const controller = new AbortController()
    const first = page.provider.request({ ...grants, signal: controller.signal })
    const { id } = (await page.next()) as PageCall
    controller.abort()
    await expect(first).rejects.toThrow()
    expect(await page.next()).toEqual({ id })
    const second = page.provider.request(grants)
    const again = (await page.next()) as PageCall
    expect(again.id).not.toBe(id)
    page.answer({ id, result: 'late' })
    page.answer({ id: again.id, result: 'new' })
    expect(await second).toBe('new')
  })

  test.each([
    [undefined],
    [null],
    [{ method: 7 }],
    [{ ...grants, signal: {} }],
    [{ method: 'northbound_fetch', params: { url: () => '' } }],
    [{ method: 'northbound_fetch', params: { body: new Blob(['x']) } }],
    [{ method: 'northbound_fetch', params: { headers: new Map() } }],
  ])('PAGE-API section 4: %j is rejected with invalid_params', async (args) => {
    await expect(page.provider.request(args as never)).rejects.toMatchObject({ code: -32602 })
  })

  test('B13: an answer without a call, and a second answer, are ignored', async () => {
    page.answer({ id: 1, result: 'forged' })
    await deliverAnswers()
    const calling = page.provider.request(grants)
    const { id } = (await page.next()) as PageCall
    page.answer({ id, result: 'true' })
    page.answer({ id, result: 'second' })
    expect(await calling).toBe('true')
  })

  test('B14: members of Object.prototype are not read as an answer', async () => {
    const names = ['error', 'result', 'data', 'key', 'signal', 'id', 'event', 'method', 'params']
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, { set: () => {}, configurable: true })
    }
    try {
      const calling = page.provider.request(grants)
      const { id } = (await page.next()) as PageCall
      page.answer({ id, result: 'true' })
      expect(await calling).toBe('true')
    } finally {
      for (const name of names) Reflect.deleteProperty(Object.prototype, name)
    }
  })

  test('B14: members of Object.prototype turn no answer into an event and no event into an answer', async () => {
    const payloads: unknown[] = []
    page.provider.on('grantsChanged', (payload) => payloads.push(payload))
    Object.assign(Object.prototype, { event: 'grantsChanged', id: 1 })
    try {
      const calling = page.provider.request(grants)
      const { id } = (await page.next()) as PageCall
      page.answer({ id: 0, event: 'grantsChanged', payload: 'event' })
      page.answer({ id, result: 'true' })
      expect(await calling).toBe('true')
      expect(payloads).toEqual(['event'])
    } finally {
      for (const name of ['event', 'id']) Reflect.deleteProperty(Object.prototype, name)
    }
  })
})

describe('the broker’s end', () => {
  test('L12: pending calls are rejected with 4900, and the page gets a disconnect event', async () => {
    const payloads: unknown[] = []
    page.provider.on('disconnect', (payload) => payloads.push(payload))
    const calling = page.provider.request(grants)
    await page.next()
    page.answer({ id: 0, event: 'disconnect', payload: {} })
    await expect(calling).rejects.toMatchObject({ code: 4900, data: { error: 'broker_gone' } })
    expect(payloads).toEqual([{}])
    await expect(page.provider.request(grants)).rejects.toMatchObject({ code: 4900 })
    expect(page.detail()).toBeUndefined()
  })

  test('L12: the content script of a reloaded extension does not get a port that is taken: the provider disconnects', async () => {
    const calling = page.provider.request(grants)
    const { id } = (await page.next()) as PageCall
    page.answer({ id, result: [] })
    expect(await calling).toEqual([])
    const waiting = page.provider.request(grants)
    page.contentReady()
    await expect(waiting).rejects.toMatchObject({ code: 4900, data: { error: 'broker_gone' } })
    expect(page.offers()).toBe(1)
    expect(page.detail()).toBeUndefined()
  })

  test(`two pings of ${PING_MS} ms without an answer mean that the broker is gone`, async () => {
    const calling = page.provider.request(grants)
    await page.next()
    page.runTimers()
    await vi.waitFor(() => expect(page.batches.at(-1)).toEqual([]), WITHIN_MS)
    page.answer()
    await deliverAnswers()
    page.runTimers()
    page.runTimers()
    page.runTimers()
    await expect(calling).rejects.toMatchObject({ code: 4900 })
  })
})

describe('events', () => {
  test('reach each listener once; a listener that throws does not keep them from the others', async () => {
    const payloads: unknown[] = []
    const listener = (payload: unknown) => payloads.push(payload)
    page.provider.on('grantsChanged', () => {
      throw new Error('listener')
    })
    page.provider.on('grantsChanged', listener)
    page.provider.on('grantsChanged', listener)
    page.answer({ id: 0, event: 'grantsChanged', payload: { grants: [] } })
    await deliverAnswers()
    expect(payloads).toEqual([{ grants: [] }])
    expect(page.reported).toHaveLength(1)
    page.provider.removeListener('grantsChanged', listener)
    page.answer({ id: 0, event: 'grantsChanged', payload: { grants: [] } })
    await deliverAnswers()
    expect(payloads).toHaveLength(1)
  })
})
