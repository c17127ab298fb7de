/**
 * The content script's calls, with a broker that the test plays.
 *
 * Seen to fail when: the length of a body is not compared, its parts stand in another order, those of a
 * stopped worker stay (L01), nobody says that a call waits, attempts are not counted, a document that is
 * left does not answer (B23), each loss has a timer of its own, a call that is asked after a loss goes at
 * once, and a lost port is closed though the extension is gone (L12).
 */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BrokerAnswer, UnverifiedPageMessage } from '../../shared/messages/broker-channel.ts'

interface FakePort {
  sent: UnverifiedPageMessage[]
  /** Until the script closes it. */
  isOpen: boolean
  answer(message: BrokerAnswer): void
  /** The worker stops. */
  close(): void
}

let ports: FakePort[]
let runtime: { id: string | undefined; connect(): unknown }
let script: typeof import('../../extension/content/ask.ts')

beforeEach(async () => {
  vi.useFakeTimers()
  ports = []
  runtime = {
    id: 'broker',
    connect() {
      if (runtime.id === undefined) throw new Error('Extension context invalidated.')
      const heard: ((message: BrokerAnswer) => void)[] = []
      const closed: (() => void)[] = []
      const sent: UnverifiedPageMessage[] = []
      const port = {
        sent,
        isOpen: true,
        answer: (message: BrokerAnswer) => {
          for (const hear of heard) hear(message)
        },
        close: () => {
          for (const hear of closed.splice(0)) hear()
        },
      }
      ports.push(port)
      return {
        onMessage: { addListener: heard.push.bind(heard) },
        onDisconnect: { addListener: closed.push.bind(closed) },
        postMessage: (message: UnverifiedPageMessage) => sent.push(structuredClone(message)),
        disconnect: () => {
          // What a browser does where the extension is gone.
          if (runtime.id === undefined) throw new Error('Extension context invalidated.')
          port.isOpen = false
        },
      }
    },
  }
  vi.stubGlobal('chrome', { runtime })
  vi.stubGlobal('navigator', { userActivation: { isActive: true } })
  vi.stubGlobal('document', { hidden: false })
  vi.resetModules()
  script = await import('../../extension/content/ask.ts')
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const idOf = (port: FakePort | undefined, index = 0) => port?.sent[index]?.requestId ?? ''
const part = (...bytes: number[]) => new Uint8Array(bytes).buffer
/** A comparison of buffers would not look at what is in them. */
async function bytesOf(calling: Promise<object | undefined>): Promise<number[]> {
  const { result } = (await calling) as { result: { body: ArrayBuffer } }
  return [...new Uint8Array(result.body)]
}
const lost = { error: { code: 4901, data: { error: 'network_error' } } }

describe('a call of the content script', () => {
  test('all calls go over one port, and each gets its own answer', async () => {
    const first = script.ask(1, 'northbound_getGrants', undefined)
    const second = script.ask(2, 'northbound_getGrants', undefined)
    const [port] = ports
    port?.answer({ requestId: idOf(port, 1), outcome: { result: 'second' } })
    port?.answer({ requestId: idOf(port), outcome: { result: 'first' } })
    expect(await Promise.all([first, second])).toEqual([{ result: 'first' }, { result: 'second' }])
    expect(ports).toHaveLength(1)
    expect(idOf(port)).not.toBe(idOf(port, 1))
  })

  test('a body that comes in parts is put together', async () => {
    const calling = script.ask(1, 'northbound_fetch', {})
    const [port] = ports
    const requestId = idOf(port)
    port?.answer({ requestId, part: part(1, 2) })
    port?.answer({ requestId, part: part(3) })
    port?.answer({ requestId, outcome: { result: { status: 200, body: part(4) } }, length: 4 })
    expect(await bytesOf(calling)).toEqual([1, 2, 3, 4])
  })

  test('a body of which a part was missed is an error', async () => {
    const calling = script.ask(1, 'northbound_fetch', {})
    const [port] = ports
    const requestId = idOf(port)
    port?.answer({ requestId, part: part(1) })
    port?.answer({ requestId, outcome: { result: { status: 200, body: part(4) } }, length: 4 })
    expect(await calling).toMatchObject(lost)
  })

  test('L01: after the worker has stopped it is asked again, and earlier parts do not count', async () => {
    const calling = script.ask(1, 'northbound_fetch', {})
    ports[0]?.answer({ requestId: idOf(ports[0]), part: part(1, 2) })
    ports[0]?.close()
    await vi.advanceTimersByTimeAsync(1_000)
    const [first, again] = ports
    expect(again?.sent).toEqual([{ ...first?.sent[0], attempt: 1 }])
    const requestId = idOf(again)
    again?.answer({ requestId, part: part(7) })
    again?.answer({ requestId, outcome: { result: { body: part(8) } }, length: 2 })
    expect(await bytesOf(calling)).toEqual([7, 8])
  })

  test('L08: while it waits a message keeps the worker awake, and without a call the port is given back', async () => {
    const calling = script.ask(1, 'northbound_connect', {})
    const [port] = ports
    await vi.advanceTimersByTimeAsync(60_000)
    const requestId = idOf(port)
    expect(port?.sent.slice(1)).toEqual(Array(4).fill({ type: 'pageWaits', requestId }))
    expect(port?.isOpen).toBe(true)
    port?.answer({ requestId, outcome: { result: {} } })
    await calling
    await vi.advanceTimersByTimeAsync(60_000)
    expect(port?.sent).toHaveLength(5)
    expect(port?.isOpen).toBe(false)
    void script.ask(2, 'northbound_getGrants', undefined)
    expect(ports).toHaveLength(2)
  })

  test('L12: where the extension is gone there is no answer, sent or not', async () => {
    const before = script.ask(1, 'northbound_getGrants', undefined)
    runtime.id = undefined
    ports[0]?.close()
    expect(await before).toBeUndefined()
    expect(await script.ask(2, 'northbound_getGrants', undefined)).toBeUndefined()
  })

  test('a call that is asked after a loss goes with the others, and as its first attempt', async () => {
    void script.ask(1, 'northbound_getGrants', undefined)
    for (let loss = 0; loss < 3; loss++) {
      ports.at(-1)?.close()
      if (loss < 2) await vi.advanceTimersByTimeAsync(1_000)
    }
    void script.ask(2, 'northbound_connect', {})
    expect(ports).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(ports).toHaveLength(4)
    expect(ports[3]?.sent).toMatchObject([
      { method: 'northbound_getGrants', attempt: 3 },
      { method: 'northbound_connect', attempt: 0 },
    ])
  })

  test('a page that asks on while the broker is lost does not lose it sooner', async () => {
    const first = script.ask(0, 'northbound_getGrants', undefined)
    let isOver = false
    void first.then(() => {
      isOver = true
    })
    for (let id = 1; id < 300; id++) {
      ports.at(-1)?.close()
      void script.ask(id, 'northbound_getGrants', undefined)
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(isOver).toBe(false)
  })

  test('a worker that never answers ends it', async () => {
    const calling = script.ask(1, 'northbound_getGrants', undefined)
    for (let round = 0; round < 30; round++) {
      ports.at(-1)?.close()
      await vi.advanceTimersByTimeAsync(6_000)
    }
    expect(await calling).toBeUndefined()
    expect(ports.length).toBeLessThan(40)
  })

  test('B23: a document that is left answers its calls, and closes its port', async () => {
    const calling = script.ask(1, 'northbound_connect', {})
    script.leave()
    expect(await calling).toMatchObject(lost)
    expect(ports[0]?.isOpen).toBe(false)
  })
})
