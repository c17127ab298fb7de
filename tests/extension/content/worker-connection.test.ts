/**
 * The content script's calls, with a broker that the test plays.
 *
 * Seen to fail when: the length of a body is not compared, its parts stand in another order, those of a
 * stopped worker stay (L01), nobody says that a call waits, attempts are not counted, a document that is
 * left does not answer (B23), nobody is missed at the other end of a port (L01, first and second), the end
 * of a port that was left is a loss (L01, third), a port that closes while calls wait to be asked again is
 * one for those, too, each loss has a timer of its own, a call that is asked after a loss goes at
 * once, a lost port is closed though the extension is gone (L12), a port is closed before the page is
 * answered, what a knock finds out waits for the next call, each call is a message of its own, and
 * what cannot be sent ends the calls that were asked with it.
 */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type {
  BrokerAnswer,
  UnverifiedPageMessage,
  UnverifiedPageRequest,
} from '../../../shared/messages/broker-channel.ts'
import type { ContentToProvider, Outcome } from '../../../shared/messages/document-channel.ts'

interface FakePort {
  /** The document's. */
  name: string
  /** As they came: what was said in one turn goes together. */
  lists: UnverifiedPageMessage[][]
  sent: UnverifiedPageMessage[]
  /** Until the script closes it. */
  isOpen: boolean
  answer(...messages: BrokerAnswer[]): void
  /** The worker stops. */
  close(): void
}

let ports: FakePort[]
/** Whether a worker is at the other end of ports that are open; if not, Chromium may say nothing of it. */
let isAwake: boolean
let runtime: { id: string | undefined; connect(info: { name: string }): unknown }
let script: typeof import('../../../extension/content/worker-connection.ts')
/** As they reach the page. */
let told: ContentToProvider[][]
let settle: Map<number, (outcome?: Outcome) => void>

beforeEach(async () => {
  vi.useFakeTimers()
  ports = []
  isAwake = true
  runtime = {
    id: 'broker',
    connect({ name }: { name: string }) {
      if (runtime.id === undefined) throw new Error('Extension context invalidated.')
      const heard: ((messages: BrokerAnswer[]) => void)[] = []
      const closed: ((port: object) => void)[] = []
      const lists: UnverifiedPageMessage[][] = []
      const sent: UnverifiedPageMessage[] = []
      const port = {
        name,
        lists,
        sent,
        isOpen: true,
        answer: (...messages: BrokerAnswer[]) => {
          for (const hear of heard) hear(messages)
        },
        close: () => {
          for (const hear of closed.splice(0)) hear(api)
        },
      }
      ports.push(port)
      const sayHere = () => queueMicrotask(() => isAwake && port.answer({ id: 0 }))
      sayHere()
      const api = {
        onMessage: { addListener: heard.push.bind(heard) },
        onDisconnect: { addListener: closed.push.bind(closed) },
        postMessage: (messages: UnverifiedPageMessage[]) => {
          const list = structuredClone(messages)
          lists.push(list)
          sent.push(...list)
          if (messages.some(({ method, isOver }) => !method && !isOver)) sayHere()
        },
        disconnect: () => {
          // What a browser does where the extension is gone.
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
  vi.resetModules()
  script = await import('../../../extension/content/worker-connection.ts')
  told = []
  settle = new Map()
})

function hear(messages: ContentToProvider[]): void {
  told.push(messages)
  for (const message of messages) {
    if (message.event === undefined) {
      const { id, ...outcome } = message
      settle.get(id)?.(outcome)
    } else for (const end of settle.values()) end()
  }
}

/** The outcome, or `undefined`: there is no broker any more. */
function ask(id: number, method: string, params?: unknown): Promise<Outcome | undefined> {
  const outcome = new Promise<Outcome | undefined>((resolve) => settle.set(id, resolve))
  script.handlePageMessages([{ id, method, params }], hear)
  return outcome
}
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const idOf = (port: FakePort | undefined, index = 0) => port?.sent[index]?.id ?? Number.NaN
const part = (...bytes: number[]) => new Uint8Array(bytes).buffer
/** A comparison of buffers would not look at what is in them. */
async function bytesOf(calling: Promise<object | undefined>): Promise<number[]> {
  const { result } = (await calling) as { result: { body: ArrayBuffer } }
  return [...new Uint8Array(result.body)]
}
const lost = { error: { code: 4901, data: { error: 'network_error' } } }

describe('a call of the content script', () => {
  test('all calls go over one port, and each gets its own answer', async () => {
    const first = ask(1, 'northbound_getGrants')
    const second = ask(2, 'northbound_getGrants')
    const [port] = ports
    port?.answer({ id: idOf(port, 1), result: 'second' })
    port?.answer({ id: idOf(port), result: 'first' })
    expect(await Promise.all([first, second])).toEqual([{ result: 'first' }, { result: 'second' }])
    expect(ports).toHaveLength(1)
    expect(idOf(port)).not.toBe(idOf(port, 1))
  })

  test('what is said in one turn goes together, both ways', () => {
    const params = { grantId: 'g' }
    script.handlePageMessages(
      [
        { id: 1, method: 'northbound_getGrants', params },
        { id: 2, method: 'northbound_getGrants', params },
        { id: 1 },
      ],
      hear,
    )
    const [port] = ports
    expect(port?.lists).toHaveLength(1)
    expect(port?.sent).toMatchObject([
      { method: 'northbound_getGrants', attempt: 0 },
      { method: 'northbound_getGrants', attempt: 0 },
      { id: idOf(port), isOver: true },
    ])
    port?.answer({ id: idOf(port), result: [] }, { id: idOf(port, 1), result: [] })
    expect(told).toEqual([[{ id: 2, result: [] }]])
  })

  test('what cannot be sent is refused, and does not take the others along', async () => {
    const refused = { error: { code: -32602, data: { error: 'invalid_params' } } }
    script.handlePageMessages(
      [
        { id: 1, method: 'northbound_getGrants', params: undefined },
        { id: 2, method: 'northbound_fetch', params: { body: () => 'not plain' } },
        { id: 3, method: 'northbound_getGrants', params: undefined },
      ],
      hear,
    )
    expect(told).toMatchObject([[{ id: 2, ...refused }]])
    expect(ports).toHaveLength(1)
    expect(ports[0]?.sent).toMatchObject([
      { method: 'northbound_getGrants' },
      { method: 'northbound_getGrants' },
    ])
  })

  test('a body that comes in parts is put together', async () => {
    const calling = ask(1, 'northbound_fetch', {})
    const [port] = ports
    const id = idOf(port)
    port?.answer({ id, part: part(1, 2) })
    port?.answer({ id, part: part(3) })
    port?.answer({ id, result: { status: 200, body: part(4) }, length: 4 })
    expect(await bytesOf(calling)).toEqual([1, 2, 3, 4])
    expect(told).toHaveLength(1)
  })

  test('a body of which a part was missed is an error', async () => {
    const calling = ask(1, 'northbound_fetch', {})
    const [port] = ports
    const id = idOf(port)
    port?.answer({ id, part: part(1) })
    port?.answer({ id, result: { status: 200, body: part(4) }, length: 4 })
    expect(await calling).toMatchObject(lost)
  })

  test('L01: after the worker has stopped it is asked again, and earlier parts do not count', async () => {
    const calling = ask(1, 'northbound_fetch', {})
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

  test('L08: what that message finds out is told at once', async () => {
    ask(1, 'northbound_connect', {})
    vi.stubGlobal('structuredClone', () => {
      throw new Error('Attempting to use a disconnected port object')
    })
    await vi.advanceTimersByTimeAsync(15_000)
    expect(told).toMatchObject([[{ id: 1, error: {} }]])
  })

  test('L12: a document that goes away after its extension is answered before the port is closed', () => {
    ask(1, 'northbound_getGrants')
    runtime.id = undefined
    expect(script.closeConnection).toThrow('invalidated')
    expect(told).toMatchObject([[{ id: 1, ...lost }]])
  })

  test('L08: while it waits a message keeps the worker awake, and without a call the port is given back', async () => {
    const calling = ask(1, 'northbound_connect', {})
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
    void ask(2, 'northbound_getGrants')
    expect(ports).toHaveLength(2)
  })

  test('L01: with nobody at the other end of a new port, the call is asked again on another', async () => {
    isAwake = false
    const calling = ask(1, 'northbound_connect', {})
    await vi.advanceTimersByTimeAsync(14_000)
    expect(ports).toHaveLength(1)
    isAwake = true
    await vi.advanceTimersByTimeAsync(1_100)
    expect(ports).toHaveLength(2)
    expect(ports[1]?.sent).toMatchObject([{ method: 'northbound_connect', attempt: 1 }])
    ports[1]?.answer({ id: 1, result: 'granted' })
    expect(await calling).toEqual({ result: 'granted' })
  })

  test('L01: a worker that falls silent is found out by the second look, and its late answer counts', async () => {
    const calling = ask(1, 'northbound_connect', {})
    await vi.advanceTimersByTimeAsync(20_000)
    isAwake = false
    await vi.advanceTimersByTimeAsync(24_000)
    expect(ports).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1_100)
    expect(ports).toHaveLength(2)
    // It was not gone, but slow: nobody closed its port.
    expect(ports[0]?.isOpen).toBe(true)
    ports[0]?.answer({ id: 1, result: 'granted' })
    expect(await calling).toEqual({ result: 'granted' })
  })

  test('L01: when the port that was left closes at last, the call goes on over the other', async () => {
    isAwake = false
    const calling = ask(1, 'northbound_fetch', {})
    await vi.advanceTimersByTimeAsync(15_100)
    isAwake = true
    const [left, other] = ports
    other?.answer({ id: 1, part: part(1) })
    left?.close()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(ports).toHaveLength(2)
    other?.answer({ id: 1, result: { body: part(2) }, length: 2 })
    expect(await bytesOf(calling)).toEqual([1, 2])
  })

  test('a call that was not asked yet has lost nothing when a port closes', async () => {
    void ask(1, 'northbound_getGrants')
    for (const pause of [0, 250]) {
      ports.at(-1)?.close()
      await vi.advanceTimersByTimeAsync(pause + 1)
    }
    ports.at(-1)?.close()
    void ask(2, 'northbound_connect', {})
    void ask(3, 'northbound_getGrants')
    // Given up while all wait to be asked again: that goes at once, over a port that closes as well.
    script.handlePageMessages(
      [{ id: 3 } as Parameters<typeof script.handlePageMessages>[0][0]],
      hear,
    )
    ports.at(-1)?.close()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(ports.at(-1)?.sent).toMatchObject([
      { id: 1, attempt: 3 },
      { id: 2, attempt: 0 },
    ])
  })

  test('with nobody there ever, the call ends', async () => {
    isAwake = false
    const calling = ask(1, 'northbound_connect', {})
    await vi.advanceTimersByTimeAsync(600_000)
    expect(await calling).toBeUndefined()
    expect(ports.length).toBeLessThan(25)
  })

  test('L12: where the extension is gone there is no answer, sent or not', async () => {
    const before = ask(1, 'northbound_getGrants')
    runtime.id = undefined
    ports[0]?.close()
    expect(await before).toBeUndefined()
    const after = ask(2, 'northbound_getGrants')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await after).toBeUndefined()
  })

  test('a call that is asked after a loss goes with the others, and as its first attempt', async () => {
    void ask(1, 'northbound_getGrants')
    for (let loss = 0; loss < 3; loss++) {
      ports.at(-1)?.close()
      if (loss < 2) await vi.advanceTimersByTimeAsync(1_000)
    }
    void ask(2, 'northbound_connect', {})
    expect(ports).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(ports).toHaveLength(4)
    expect(ports[3]?.sent).toMatchObject([
      { method: 'northbound_getGrants', attempt: 3 },
      { method: 'northbound_connect', attempt: 0 },
    ])
  })

  test('a page that asks on while the broker is lost does not lose it sooner', async () => {
    const first = ask(1, 'northbound_getGrants')
    let isOver = false
    void first.then(() => {
      isOver = true
    })
    for (let id = 2; id < 300; id++) {
      ports.at(-1)?.close()
      void ask(id, 'northbound_getGrants')
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(isOver).toBe(false)
  })

  test('a worker that never answers ends it', async () => {
    const calling = ask(1, 'northbound_getGrants')
    for (let round = 0; round < 30; round++) {
      ports.at(-1)?.close()
      await vi.advanceTimersByTimeAsync(6_000)
    }
    expect(await calling).toBeUndefined()
    expect(ports.length).toBeLessThan(40)
  })

  test('B23: a document that is left answers its calls, and closes its port', async () => {
    const calling = ask(1, 'northbound_connect', {})
    script.closeConnection()
    expect(await calling).toMatchObject(lost)
    expect(ports[0]?.isOpen).toBe(false)
  })
  test('B23: a document that is shown again gets the outcome once more, should it have been lost', () => {
    ask(1, 'northbound_connect', {})
    script.closeConnection()
    const [atPagehide] = told.splice(0)
    script.settleEndedCalls()
    expect(atPagehide).toMatchObject([{ id: 1, ...lost }])
    expect(told).toEqual([atPagehide])
  })
})
