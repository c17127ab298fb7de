/** The user plane: rate, latency and loss of the data, before, during and after a QoS session. */

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

/** Reads the endless stream and measures its rate. */
function openStream() {
  let bytes = 0
  const request = get(`${network.userPlaneOrigin}/stream`, (answer) => {
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    answer.on('error', () => {})
  })
  request.on('error', () => {})
  return {
    /** Bits per second, measured after the previous change has taken effect. */
    async rate(settleMs: number, measureMs: number): Promise<number> {
      await sleep(settleMs)
      const before = bytes
      const startedAtMs = performance.now()
      await sleep(measureMs)
      return ((bytes - before) * 8) / ((performance.now() - startedAtMs) / 1000)
    },
    close: () => request.destroy(),
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const getSubscriptionsUrl = () =>
  `${network.apisOrigin}/3gpp-as-session-with-qos/v1/skyframe/subscriptions`
const createHeaders = () => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
})

async function startSession(qosReference: string): Promise<string> {
  const answer = await fetch(getSubscriptionsUrl(), {
    method: 'POST',
    headers: createHeaders(),
    body: JSON.stringify({ notificationDestination: 'https://unused.invalid/', qosReference }),
  })
  return ((await answer.json()) as { self: string }).self
}

describe('the byte stream of the demo', () => {
  it('follows the QoS profile within 10 % before, during and after a session', async () => {
    const stream = openStream()
    const expected = [BEST_EFFORT, findQosProfile('QOS_L'), BEST_EFFORT].map(
      (profile) => profile?.downlinkBitsPerSecond ?? 0,
    )
    const before = await stream.rate(500, 1500)
    const session = await startSession('QOS_L')
    // Within a second: the measurement starts one second after the request.
    const during = await stream.rate(1000, 1500)
    await fetch(session, { method: 'DELETE', headers: createHeaders() })
    const after = await stream.rate(1000, 1500)
    stream.close()
    const measured = [before, during, after]
    for (const [at, when] of ['before', 'during', 'after'].entries()) {
      const [got = 0, want = 1] = [measured[at], expected[at]]
      console.log(
        `${when.padEnd(6)} ${(got / 1e6).toFixed(2)} Mbit/s, profile ${(want / 1e6).toFixed(2)} Mbit/s`,
      )
      expect(Math.abs(got / want - 1)).toBeLessThan(0.1)
    }
  })
})

describe('the token bucket', () => {
  it('never exceeds rate and burst, at any sequence of times', () => {
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

describe('latency and loss of datagrams', () => {
  async function measureEcho(count: number): Promise<{ received: number; shortestMs: number }> {
    const socket = new WebSocket(`${network.userPlaneOrigin.replace('http', 'ws')}/datagrams`)
    await new Promise((resolve) => socket.once('open', resolve))
    const times: number[] = []
    socket.on('message', (data) => times.push(performance.now() - Number(String(data))))
    for (let n = 0; n < count; n += 1) socket.send(String(performance.now()))
    // Waits until no datagram has arrived for a while.
    for (let seen = -1; seen !== times.length; ) {
      seen = times.length
      await sleep(500)
    }
    socket.terminate()
    return { received: times.length, shortestMs: Math.min(...times) }
  }

  it('are those of the profile, in both directions', async () => {
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
    await fetch(session, { method: 'DELETE', headers: createHeaders() })
  })
})
