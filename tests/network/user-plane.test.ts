/** User plane: rate, latency and loss of the data, before, during and after a QoS session. */

import { get } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { Network } from '../../demo-site/network/index.ts'
import { BEST_EFFORT, findQosProfile } from '../../demo-site/network/user-plane/qos-profiles.ts'
import { TokenBucket } from '../../demo-site/network/user-plane/token-bucket.ts'
import { obtainToken, startTestNetwork } from './support/client.ts'

let network: Network
let token: string

beforeAll(async () => {
  network = await startTestNetwork()
  token = (await obtainToken(network)).tokens.access_token
})
afterAll(() => network.close())

/** Reads the endless stream and counts its bytes. */
function openStream() {
  let bytes = 0
  let onData = () => {}
  const request = get(`${network.userPlaneOrigin}/stream`, (answer) => {
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      onData()
    })
    answer.on('error', () => {})
  })
  request.on('error', () => {})

  /**
   * Waits for so many more bytes.
   *
   * @returns Bits per second until they were there. A machine that is late makes this less, never more.
   */
  function rateOfNext(count: number): Promise<number> {
    const before = bytes
    const startedAtMs = performance.now()
    return new Promise((resolve) => {
      onData = () => {
        if (bytes - before < count) return
        resolve(((bytes - before) * 8) / ((performance.now() - startedAtMs) / 1_000))
      }
    })
  }
  return { rateOfNext, close: () => request.destroy() }
}

const subscriptions = () =>
  `${network.apisOrigin}/3gpp-as-session-with-qos/v1/skyframe/subscriptions`
const headers = () => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' })

async function startSession(qosReference: string): Promise<string> {
  const answer = await fetch(subscriptions(), {
    method: 'POST',
    headers: headers(),
    body: JSON.stringify({ notificationDestination: 'https://unused.invalid/', qosReference }),
  })
  return ((await answer.json()) as { self: string }).self
}

/** Burst of the token bucket, in seconds of its rate. */
const BURST_SECONDS = 0.5

/** Returns the bytes that a rate transfers in this time. */
const bytesIn = (bitsPerSecond: number, seconds: number) => (bitsPerSecond / 8) * seconds

describe('the byte stream of the demo', () => {
  it('is as slow as best effort before and after a session, and faster during it', async () => {
    const slow = BEST_EFFORT.downlinkBitsPerSecond
    const fast = findQosProfile('QOS_L')?.downlinkBitsPerSecond ?? 0
    // Two seconds of best effort; what a bucket held back may come at once.
    const most = slow * (1 + BURST_SECONDS / 2)
    const stream = openStream()
    expect(await stream.rateOfNext(bytesIn(slow, 2))).toBeLessThanOrEqual(most * 1.01)
    const session = await startSession('QOS_L')
    expect(await stream.rateOfNext(bytesIn(fast, 2))).toBeGreaterThan(most)
    await fetch(session, { method: 'DELETE', headers: headers() })
    // The bucket of the fast profile is emptied first.
    await stream.rateOfNext(bytesIn(fast, BURST_SECONDS))
    expect(await stream.rateOfNext(bytesIn(slow, 2))).toBeLessThanOrEqual(most * 1.01)
    stream.close()
  })
})

describe('the token bucket', () => {
  it('lets exactly the rate through, before and after a change of the rate', () => {
    let now = 0
    let rate = BEST_EFFORT.downlinkBitsPerSecond
    const bucket = new TokenBucket(
      () => rate,
      () => now,
    )
    function takeForOneSecond(): number {
      let taken = 0
      for (let tick = 0; tick < 50; tick += 1) {
        now += 20
        taken += bucket.takeBytes()
      }
      return taken
    }
    expect(takeForOneSecond()).toBeCloseTo(rate / 8, -1)
    rate = findQosProfile('QOS_L')?.downlinkBitsPerSecond ?? 0
    expect(takeForOneSecond()).toBeCloseTo(rate / 8, -1)
  })

  it('never lets more through than rate and burst allow, whatever the times', () => {
    const rates = fc.integer({ min: 8_000, max: 50_000_000 })
    const steps = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(rates, steps, (rate, waits) => {
        let now = 0
        const bucket = new TokenBucket(
          () => rate,
          () => now,
        )
        let taken = 0
        for (const wait of waits) {
          now += wait
          taken += bucket.takeBytes()
        }
        expect(taken).toBeLessThanOrEqual((rate / 8) * (now / 1000 + 0.5) + 1)
      }),
    )
  })
})

const MARKER = 'marker'

describe('latency and loss', () => {
  async function measureEcho(count: number): Promise<{ received: number; shortestMs: number }> {
    const socket = new WebSocket(`${network.userPlaneOrigin.replace('http', 'ws')}/datagrams`)
    await new Promise((resolve) => socket.once('open', resolve))
    const times: number[] = []
    const firstMarker = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        const sent = String(data)
        if (sent === MARKER) resolve()
        else times.push(performance.now() - Number(sent))
      })
    })
    for (let n = 0; n < count; n += 1) socket.send(String(performance.now()))
    // Some datagrams are lost.
    for (let n = 0; n < 20; n += 1) socket.send(MARKER)
    // Datagrams come back in the order in which they were sent: the first marker that returns ends the wait.
    await firstMarker
    socket.terminate()
    return { received: times.length, shortestMs: Math.min(...times) }
  }

  it('are those of the profile: a round trip takes both ways, and some datagrams never return', async () => {
    const before = await measureEcho(700)
    expect(before.shortestMs).toBeGreaterThanOrEqual(2 * BEST_EFFORT.latencyMs - 1)
    expect(before.received).toBeLessThan(700)
    const session = await startSession('QOS_L')
    const during = await measureEcho(700)
    expect(during.received).toBe(700)
    expect(during.shortestMs).toBeLessThan(before.shortestMs)
    expect(during.shortestMs).toBeGreaterThanOrEqual(
      2 * (findQosProfile('QOS_L')?.latencyMs ?? 0) - 1,
    )
    await fetch(session, { method: 'DELETE', headers: headers() })
  })
})
