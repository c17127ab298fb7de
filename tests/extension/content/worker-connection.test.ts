/**
 * The content script's connection to the worker, with a broker that the test simulates.
 *
 * Seen to fail when: the length of a body is not compared, its parts are joined in another order, the parts of
 * a stopped worker are kept (L01), no keep-alive is sent, attempts are not counted, an unloaded document does
 * not settle its calls (B23), a silent worker is not detected (L01, first and second), the end of a replaced
 * port counts as a disconnect (L01, third), a port that closes during a reconnect counts an attempt for calls
 * that were not sent, each disconnect has a timer of its own, a call during a reconnect is sent at once, a
 * port is disconnected before the answers are scheduled (L12), answers are posted while the document is
 * unloaded, which Firefox loses (B23),
 * an error of the keep-alive is reported only with the next call, each call is a message of its own, and a call
 * that cannot be sent fails the other calls of its batch. H16: the listener of the window is added once alone.
 * W04: `chrome.runtime` is read when the script starts, and a second port is taken. W05: the body is not in the
 * list of what is transferred.
 */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type {
  BrokerAnswer,
  UnverifiedPageMessage,
  UnverifiedPageRequest,
} from '../../../shared/messages/broker-channel.ts'
import type {
  ContentToProvider,
  Outcome,
  ProviderToContent,
} from '../../../shared/messages/document-channel.ts'

interface FakePort {
  /** Name of the document. */
  name: string
  /** The batches as they arrived. */
  batches: UnverifiedPageMessage[][]
  sent: UnverifiedPageMessage[]
  /** False after the script closed the port. */
  isOpen: boolean
  answer(...messages: BrokerAnswer[]): void
  /** The worker stops. */
  close(): void
}

let ports: FakePort[]
/** Whether a worker answers on open ports. If not, Chromium may report no disconnect. */
let isWorkerRunning: boolean
let runtime: {
  id: string | undefined
  connect(info: { name: string }): unknown
  onMessage: { addListener(listener: (event: object) => void): void }
}
let script: typeof import('../../../extension/content/worker-connection.ts')
/** The batches that reach the page. */
let postedBatches: ContentToProvider[][]
/** The end of the port that the content script takes. */
let pagePort: {
  postMessage(messages: ContentToProvider[], transfer?: ArrayBuffer[]): void
  onmessage?: (event: { data: ProviderToContent[] }) => void
}
/** What the script has taken from the browser's events for it. */
let eventListeners: ((event: object) => void)[]
let windowListeners: [name: string, listener: () => void][]
let settle: Map<number, (outcome?: Outcome) => void>

beforeEach(async () => {
  vi.useFakeTimers()
  ports = []
  isWorkerRunning = true
  eventListeners = []
  runtime = {
    id: 'broker',
    onMessage: { addListener: (listener) => void eventListeners.push(listener) },
    connect({ name }: { name: string }) {
      if (runtime.id === undefined) throw new Error('Extension context invalidated.')
      const messageListeners: ((messages: BrokerAnswer[]) => void)[] = []
      const disconnectListeners: ((port: object) => void)[] = []
      const batches: UnverifiedPageMessage[][] = []
      const sent: UnverifiedPageMessage[] = []
      const port = {
        name,
        batches,
        sent,
        isOpen: true,
        answer: (...messages: BrokerAnswer[]) => {
          for (const listener of messageListeners) listener(messages)
        },
        close: () => {
          for (const listener of disconnectListeners.splice(0)) listener(api)
        },
      }
      ports.push(port)
      const answerHere = () => queueMicrotask(() => isWorkerRunning && port.answer({ id: 0 }))
      answerHere()
      const api = {
        onMessage: { addListener: messageListeners.push.bind(messageListeners) },
        onDisconnect: { addListener: disconnectListeners.push.bind(disconnectListeners) },
        postMessage: (messages: UnverifiedPageMessage[]) => {
          const batch = structuredClone(messages)
          batches.push(batch)
          sent.push(...batch)
          if (messages.some(({ method, isOver }) => !method && !isOver)) answerHere()
        },
        disconnect: () => {
          // A browser does this if the extension is gone.
          if (runtime.id === undefined) throw new Error('Extension context invalidated.')
          port.isOpen = false
        },
      }
      return api
    },
  }
  vi.stubGlobal('chrome', { runtime })
  vi.stubGlobal('navigator', { userActivation: { isActive: true } })
  vi.stubGlobal('document', { hidden: false })
  windowListeners = []
  vi.stubGlobal('addEventListener', (name: string, listener: () => void) =>
    windowListeners.push([name, listener]),
  )
  vi.resetModules()
  script = await import('../../../extension/content/worker-connection.ts')
  postedBatches = []
  settle = new Map()
  pagePort = { postMessage: postToPage }
  expect(offerPort(pagePort)).toBe(true)
})

/** Offers a port like the provider. @returns Whether the script has taken it. */
function offerPort(port: object): boolean {
  const event = { ports: [port], preventDefault: vi.fn() }
  script.acceptPort(event as unknown as Event)
  return event.preventDefault.mock.calls.length > 0
}

const sendMessages = (...data: ProviderToContent[]) => pagePort.onmessage?.({ data })

/** A test replaces the function of the platform. */
const copy = structuredClone

function postToPage(batch: ContentToProvider[], transfer: ArrayBuffer[] = []): void {
  const messages = copy(batch, { transfer })
  postedBatches.push(messages)
  for (const message of messages) {
    if (message.event === undefined) {
      const { id, ...outcome } = message
      settle.get(id)?.(outcome)
    } else for (const end of settle.values()) end()
  }
}

/** Resolves with the outcome, or with `undefined` if the broker is gone. */
function sendCall(id: number, method: string, params?: unknown): Promise<Outcome | undefined> {
  const outcome = new Promise<Outcome | undefined>((resolve) => settle.set(id, resolve))
  sendMessages({ id, method, params })
  return outcome
}
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const idOf = (port: FakePort | undefined, index = 0) => port?.sent[index]?.id ?? Number.NaN
const part = (...bytes: number[]) => new Uint8Array(bytes).buffer
/** The octets of a body, since a comparison of buffers would not compare their content. */
async function bytesOf(calling: Promise<object | undefined>): Promise<number[]> {
  const { result } = (await calling) as { result: { body: ArrayBuffer } }
  return [...new Uint8Array(result.body)]
}
const lostAnswer = { error: { code: 4901, data: { error: 'network_error' } } }

describe('the port of the page', () => {
  test('W04: is taken once', () => {
    expect(offerPort({ postMessage: postToPage })).toBe(false)
    expect(eventListeners).toHaveLength(1)
  })

  test('W04: is left to the script of the new extension by that of a reloaded one', async () => {
    vi.resetModules()
    script = await import('../../../extension/content/worker-connection.ts')
    runtime.id = undefined
    expect(offerPort({ postMessage: postToPage })).toBe(false)
    expect(eventListeners).toHaveLength(1)
  })

  test('W04: before it is there, the script uses nothing of the browser for extensions', async () => {
    const touched: PropertyKey[] = []
    const spied = new Proxy(runtime, {
      get: (target, name) => {
        touched.push(name)
        return Reflect.get(target, name)
      },
    })
    vi.stubGlobal('chrome', { runtime: spied })
    vi.resetModules()
    script = await import('../../../extension/content/worker-connection.ts')
    expect(touched).toEqual([])
    expect(offerPort({ postMessage: postToPage })).toBe(true)
    expect(touched).toContain('onMessage')
  })

  test('events of the broker for this origin pass to it, and no others', () => {
    vi.stubGlobal('origin', 'https://app.example')
    for (const origin of ['https://other.example', 'https://app.example']) {
      eventListeners[0]?.({ origin, event: 'grantsChanged', payload: {} })
    }
    expect(postedBatches).toEqual([
      [{ id: 0, origin: 'https://app.example', event: 'grantsChanged', payload: {} }],
    ])
  })
})

describe('a call of the content script', () => {
  test('all calls go over one port, and each gets its own answer', async () => {
    const first = sendCall(1, 'northbound_getGrants')
    const second = sendCall(2, 'northbound_getGrants')
    const [port] = ports
    port?.answer({ id: idOf(port, 1), result: 'second' })
    port?.answer({ id: idOf(port), result: 'first' })
    expect(await Promise.all([first, second])).toEqual([{ result: 'first' }, { result: 'second' }])
    expect(ports).toHaveLength(1)
    expect(idOf(port)).not.toBe(idOf(port, 1))
  })

  test('the messages of one batch are forwarded as one batch, in both directions', () => {
    const params = { grantId: 'g' }
    sendMessages(
      { id: 1, method: 'northbound_getGrants', params },
      { id: 2, method: 'northbound_getGrants', params },
      { id: 1 },
    )
    const [port] = ports
    expect(port?.batches).toHaveLength(1)
    expect(port?.sent).toMatchObject([
      { method: 'northbound_getGrants', attempt: 0 },
      { method: 'northbound_getGrants', attempt: 0 },
      { id: idOf(port), isOver: true },
    ])
    port?.answer({ id: idOf(port), result: [] }, { id: idOf(port, 1), result: [] })
    expect(postedBatches).toEqual([[{ id: 2, result: [] }]])
  })

  test('a call that cannot be sent is rejected, and the others of its batch are sent', async () => {
    const refused = { error: { code: -32602, data: { error: 'invalid_params' } } }
    sendMessages(
      { id: 1, method: 'northbound_getGrants', params: undefined },
      { id: 2, method: 'northbound_fetch', params: { body: () => 'not plain' } },
      { id: 3, method: 'northbound_getGrants', params: undefined },
    )
    expect(postedBatches).toMatchObject([[{ id: 2, ...refused }]])
    expect(ports).toHaveLength(1)
    expect(ports[0]?.sent).toMatchObject([
      { method: 'northbound_getGrants' },
      { method: 'northbound_getGrants' },
    ])
  })

  test('a body that arrives in parts is reassembled', async () => {
    const calling = sendCall(1, 'northbound_fetch', {})
    const [port] = ports
    const id = idOf(port)
    port?.answer({ id, part: part(1, 2) })
    port?.answer({ id, part: part(3) })
    port?.answer({ id, result: { status: 200, body: part(4) }, length: 4 })
    expect(await bytesOf(calling)).toEqual([1, 2, 3, 4])
    expect(postedBatches).toHaveLength(1)
  })

  test('W05: a body that came in parts reaches the page without a copy', async () => {
    const transfers: (ArrayBuffer[] | undefined)[] = []
    pagePort.postMessage = () => {}
    vi.resetModules()
    script = await import('../../../extension/content/worker-connection.ts')
    offerPort(
      Object.assign(pagePort, {
        postMessage: (_: ContentToProvider[], transfer?: ArrayBuffer[]) => transfers.push(transfer),
      }),
    )
    sendMessages({ id: 1, method: 'northbound_fetch', params: {} })
    const port = ports.at(-1)
    port?.answer({ id: 1, part: part(1) })
    port?.answer({ id: 1, result: { status: 200, body: part(2) }, length: 2 })
    expect(transfers.map((list) => list?.map(({ byteLength }) => byteLength))).toEqual([[2]])
  })

  test('a body with a missing part is an error', async () => {
    const calling = sendCall(1, 'northbound_fetch', {})
    const [port] = ports
    const id = idOf(port)
    port?.answer({ id, part: part(1) })
    port?.answer({ id, result: { status: 200, body: part(4) }, length: 4 })
    expect(await calling).toMatchObject(lostAnswer)
  })

  test('L01: after the worker has stopped the call is resent, and earlier parts are discarded', async () => {
    const calling = sendCall(1, 'northbound_fetch', {})
    ports[0]?.answer({ id: idOf(ports[0]), part: part(1, 2) })
    ports[0]?.close()
    await vi.advanceTimersByTimeAsync(1_000)
    const [first, again] = ports
    expect(again?.sent).toEqual([{ ...(first?.sent[0] as UnverifiedPageRequest), attempt: 1 }])
    expect(again?.name).toMatch(/^[0-9a-f-]{36}$/)
    expect(again?.name).toBe(first?.name)
    const id = idOf(again)
    again?.answer({ id, part: part(7) })
    again?.answer({ id, result: { body: part(8) }, length: 2 })
    expect(await bytesOf(calling)).toEqual([7, 8])
  })

  test('L08: an error of the keep-alive is reported to the page at once', async () => {
    sendCall(1, 'northbound_connect', {})
    vi.stubGlobal('structuredClone', () => {
      throw new Error('Attempting to use a disconnected port object')
    })
    await vi.advanceTimersByTimeAsync(15_000)
    expect(postedBatches).toMatchObject([[{ id: 1, error: {} }]])
  })

  test('L12: a document that is unloaded after its extension gets its answers although the disconnect throws', async () => {
    sendCall(1, 'northbound_getGrants')
    runtime.id = undefined
    expect(script.closeConnection).toThrow('invalidated')
    await vi.advanceTimersByTimeAsync(1)
    expect(postedBatches).toMatchObject([[{ id: 1, ...lostAnswer }]])
  })

  test('L08: keep-alives are sent while a call is pending, and without a pending call the port is closed', async () => {
    const calling = sendCall(1, 'northbound_connect', {})
    const [port] = ports
    await vi.advanceTimersByTimeAsync(60_000)
    const id = idOf(port)
    expect(port?.sent.slice(1)).toEqual(Array(4).fill({ id }))
    expect(port?.isOpen).toBe(true)
    port?.answer({ id, result: {} })
    await calling
    await vi.advanceTimersByTimeAsync(60_000)
    expect(port?.sent).toHaveLength(5)
    expect(port?.isOpen).toBe(false)
    void sendCall(2, 'northbound_getGrants')
    expect(ports).toHaveLength(2)
  })

  test('L01: if no worker answers on a new port, the call is resent on another port', async () => {
    isWorkerRunning = false
    const calling = sendCall(1, 'northbound_connect', {})
    await vi.advanceTimersByTimeAsync(14_000)
    expect(ports).toHaveLength(1)
    isWorkerRunning = true
    await vi.advanceTimersByTimeAsync(1_100)
    expect(ports).toHaveLength(2)
    expect(ports[1]?.sent).toMatchObject([{ method: 'northbound_connect', attempt: 1 }])
    ports[1]?.answer({ id: 1, result: 'granted' })
    expect(await calling).toEqual({ result: 'granted' })
  })

  test('L01: a silent worker is detected at the second keep-alive, and its late answer is accepted', async () => {
    const calling = sendCall(1, 'northbound_connect', {})
    await vi.advanceTimersByTimeAsync(20_000)
    isWorkerRunning = false
    await vi.advanceTimersByTimeAsync(24_000)
    expect(ports).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1_100)
    expect(ports).toHaveLength(2)
    // The worker was slow and not gone: its port was not closed.
    expect(ports[0]?.isOpen).toBe(true)
    ports[0]?.answer({ id: 1, result: 'granted' })
    expect(await calling).toEqual({ result: 'granted' })
  })

  test('L01: if the replaced port closes later, the call continues over the new port', async () => {
    isWorkerRunning = false
    const calling = sendCall(1, 'northbound_fetch', {})
    await vi.advanceTimersByTimeAsync(15_100)
    isWorkerRunning = true
    const [replacedPort, newPort] = ports
    newPort?.answer({ id: 1, part: part(1) })
    replacedPort?.close()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(ports).toHaveLength(2)
    newPort?.answer({ id: 1, result: { body: part(2) }, length: 2 })
    expect(await bytesOf(calling)).toEqual([1, 2])
  })

  test('a call that was not sent yet counts no attempt if a port closes', async () => {
    void sendCall(1, 'northbound_getGrants')
    for (const pause of [0, 250]) {
      ports.at(-1)?.close()
      await vi.advanceTimersByTimeAsync(pause + 1)
    }
    ports.at(-1)?.close()
    void sendCall(2, 'northbound_connect', {})
    void sendCall(3, 'northbound_getGrants')
    // An abort during a reconnect is sent at once, over a port that closes as well.
    sendMessages({ id: 3 })
    ports.at(-1)?.close()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(ports.at(-1)?.sent).toMatchObject([
      { id: 1, attempt: 3 },
      { id: 2, attempt: 0 },
    ])
  })

  test('if no worker ever answers, the call ends', async () => {
    isWorkerRunning = false
    const calling = sendCall(1, 'northbound_connect', {})
    await vi.advanceTimersByTimeAsync(600_000)
    expect(await calling).toBeUndefined()
    expect(ports.length).toBeLessThan(25)
  })

  test('L12: if the extension is gone, the broker is gone for calls before and after', async () => {
    const before = sendCall(1, 'northbound_getGrants')
    runtime.id = undefined
    ports[0]?.close()
    expect(await before).toBeUndefined()
    const after = sendCall(2, 'northbound_getGrants')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await after).toBeUndefined()
  })

  test('a call during a reconnect is sent with the others, and as its first attempt', async () => {
    void sendCall(1, 'northbound_getGrants')
    for (let loss = 0; loss < 3; loss++) {
      ports.at(-1)?.close()
      if (loss < 2) await vi.advanceTimersByTimeAsync(1_000)
    }
    void sendCall(2, 'northbound_connect', {})
    expect(ports).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(ports).toHaveLength(4)
    expect(ports[3]?.sent).toMatchObject([
      { method: 'northbound_getGrants', attempt: 3 },
      { method: 'northbound_connect', attempt: 0 },
    ])
  })

  test('new calls during a reconnect do not use up the attempts of earlier calls', async () => {
    const first = sendCall(1, 'northbound_getGrants')
    let isOver = false
    void first.then(() => {
      isOver = true
    })
    for (let id = 2; id < 300; id++) {
      ports.at(-1)?.close()
      void sendCall(id, 'northbound_getGrants')
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(isOver).toBe(false)
  })

  test('a worker that never answers ends the call', async () => {
    const calling = sendCall(1, 'northbound_getGrants')
    for (let round = 0; round < 30; round++) {
      ports.at(-1)?.close()
      await vi.advanceTimersByTimeAsync(6_000)
    }
    expect(await calling).toBeUndefined()
    expect(ports.length).toBeLessThan(40)
  })

  test('B23: a document that is unloaded settles its calls, and closes its port', async () => {
    const calling = sendCall(1, 'northbound_connect', {})
    script.closeConnection()
    await vi.advanceTimersByTimeAsync(1)
    expect(await calling).toMatchObject(lostAnswer)
    expect(ports[0]?.isOpen).toBe(false)
  })

  test('H16, B23: its listener is added with each port: document.open() removes the listeners of the window', async () => {
    for (const id of [1, 2]) {
      void sendCall(id, 'northbound_connect', {})
      const [[name, listener] = []] = windowListeners.splice(0)
      expect(name).toBe('pagehide')
      listener?.()
      await vi.advanceTimersByTimeAsync(1)
      expect(ports.map(({ isOpen }) => isOpen)).toEqual(Array.from({ length: id }, () => false))
    }
  })

  test('B23: a document gets no message while it is unloaded, only when its timers run again', async () => {
    void sendCall(1, 'northbound_connect', {})
    script.closeConnection()
    expect(postedBatches).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(postedBatches).toMatchObject([[{ id: 1, ...lostAnswer }]])
    expect(ports).toHaveLength(1)
  })
})
