/**
 * A11f: the memory of API calls is limited, for each origin and for all of them together. What waits gets
 * its turn, or an error of the contract. The API is a double of `fetch`.
 *
 * Seen to fail when `sendCall` takes no slot, when `readBody` takes no permit or keeps it, when the wait has
 * no limit, and when `answerCall` does not count the octets of a message or keeps them.
 */

import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { ApiCall, TokenSource } from '../../../../extension/background/api-calls/api-call.ts'
import { PART_BYTES } from '../../../../extension/background/api-calls/response-body.ts'
import type { Outcome } from '../../../../shared/messages/document-channel.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

const limits = vi.hoisted(() => ({ waitMs: 20_000 }))
vi.mock('../../../../extension/limits.ts', async (original) => {
  const actual = await original<object>()
  return Object.defineProperty({ ...actual }, 'API_CALL_WAIT_MS', {
    enumerable: true,
    get: () => limits.waitMs,
  })
})

const { callApi } = await import('../../../../extension/background/api-calls/api-call.ts')
const { MAX_CALLS, MAX_CALLS_OF_ORIGIN, MAX_LARGE_BODIES_OF_ORIGIN, MAX_WAITING_OF_ORIGIN } =
  await import('../../../../extension/background/api-calls/call-slots.ts')
const { CALL_RULES } = await import('../../../../extension/background/api-calls/call-rules.ts')
const { handlePageRequest } = await import('../../../../extension/background/page/page-router.ts')
const { MAX_OCTETS, MAX_OCTETS_OF_ORIGIN } = await import(
  '../../../../extension/background/page/message-octets.ts'
)

const MIB = 1024 * 1024
const TOKENS: TokenSource = {
  currentToken: async () => ({ accessToken: 'token', tokenType: 'Bearer', singleUse: false }),
  replaceToken: async () => expect.unreachable('no token was rejected'),
  dpopKey: async () => undefined,
}

let page = 0
const newOrigin = () => `https://page-${++page}.example`

const callOf = (origin: string, more: Partial<ApiCall> = {}): ApiCall => ({
  origin,
  url: 'https://api.example/x',
  method: 'GET',
  headers: new Headers(),
  rules: CALL_RULES.oauth,
  ...more,
})

beforeEach(() => {
  limits.waitMs = 20_000
})

/** Lets every promise that is ready settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** An API that answers each call with a body of this size, in chunks, and counts. */
function countingApi(bytes: number) {
  const chunk = new Uint8Array(64 * 1024)
  const now = { calls: 0, large: 0 }
  const most = { calls: 0, large: 0 }
  const enter = (kind: 'calls' | 'large') => {
    now[kind] += 1
    most[kind] = Math.max(most[kind], now[kind])
  }
  const fetch = async () => {
    enter('calls')
    let sent = 0
    let isLarge = false
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          await settle()
          const rest = chunk.subarray(0, Math.min(chunk.byteLength, bytes - sent))
          sent += rest.byteLength
          if (rest.byteLength > 0) controller.enqueue(rest)
          // More than a part and the chunk beyond it: the reader went on.
          if (!isLarge && sent > PART_BYTES + 2 * chunk.byteLength) {
            isLarge = true
            enter('large')
          }
          if (sent < bytes) return
          controller.close()
          now.calls -= 1
          if (isLarge) now.large -= 1
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(body)
  }
  return { most, effects: { now: () => Date.now(), fetch } }
}

/** An API that answers no call until it is told to. */
function holdingApi() {
  let isOpen = false
  const held: (() => void)[] = []
  const fetch = (_: unknown, { signal }: RequestInit = {}) =>
    new Promise<Response>((resolve, reject) => {
      if (isOpen) return resolve(new Response('ok'))
      held.push(() => resolve(new Response('ok')))
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  const open = () => {
    isOpen = true
    for (const answer of held.splice(0)) answer()
  }
  return { held, open, effects: { now: () => Date.now(), fetch } }
}

const RATE_LIMITED = { code: 4290, data: { error: 'rate_limited', retryAfterSeconds: 1 } }

describe('A11f: responses', () => {
  test('300 calls of 5 MiB: a limited number at once, and all of them are answered', async () => {
    const origin = newOrigin()
    const { most, effects } = countingApi(5 * MIB)
    let octets = 0
    const deliver = (part: ArrayBuffer) => {
      octets += part.byteLength
    }
    const calls = Array.from({ length: 300 }, async () => {
      const { body } = await callApi(callOf(origin, { deliver }), TOKENS, effects)
      octets += body.byteLength
    })
    await Promise.all(calls)
    expect(octets).toBe(300 * 5 * MIB)
    expect(most).toEqual({ calls: MAX_CALLS_OF_ORIGIN, large: MAX_LARGE_BODIES_OF_ORIGIN })
  })

  test('1,000 small calls at once are all answered', async () => {
    const origin = newOrigin()
    const { most, effects } = countingApi(1_000)
    const calls = Array.from({ length: 1_000 }, () => callApi(callOf(origin), TOKENS, effects))
    const bodies = (await Promise.all(calls)).map(({ body }) => body.byteLength)
    expect(new Set(bodies)).toEqual(new Set([1_000]))
    expect(most).toEqual({ calls: MAX_CALLS_OF_ORIGIN, large: 0 })
  })

  test('a body that breaks off gives its permit back', async () => {
    const origin = newOrigin()
    const broken = {
      now: () => Date.now(),
      fetch: async () => {
        let sent = 0
        const pull = (controller: ReadableStreamDefaultController) => {
          sent += 64 * 1024
          if (sent > MIB) controller.error(new TypeError('reset'))
          else controller.enqueue(new Uint8Array(64 * 1024))
        }
        return new Response(new ReadableStream({ pull }))
      },
    }
    for (let i = 0; i < 2 * MAX_LARGE_BODIES_OF_ORIGIN; i++) {
      await expect(callApi(callOf(origin), TOKENS, broken)).rejects.toMatchObject({
        code: 'network_error',
      })
    }
    const { effects } = countingApi(MIB)
    expect((await callApi(callOf(origin), TOKENS, effects)).body.byteLength).toBe(MIB)
  })
})

describe('A11f: calls', () => {
  test('one origin has a part of the slots, and another is served beside it', async () => {
    const api = holdingApi()
    const greedy = newOrigin()
    const calls = Array.from({ length: 100 }, () => callApi(callOf(greedy), TOKENS, api.effects))
    await settle()
    expect(api.held).toHaveLength(MAX_CALLS_OF_ORIGIN)
    const { effects } = countingApi(10)
    expect((await callApi(callOf(newOrigin()), TOKENS, effects)).status).toBe(200)
    api.open()
    await Promise.all(calls)
  })

  test('all origins together have a limited number of calls at once', async () => {
    const api = holdingApi()
    const calls = Array.from({ length: 10 }, newOrigin).flatMap((origin) =>
      Array.from({ length: 30 }, () => callApi(callOf(origin), TOKENS, api.effects)),
    )
    await settle()
    expect(api.held).toHaveLength(MAX_CALLS)
    api.open()
    await Promise.all(calls)
  })

  test('a full queue is the error rate_limited', async () => {
    const api = holdingApi()
    const origin = newOrigin()
    const length = MAX_CALLS_OF_ORIGIN + MAX_WAITING_OF_ORIGIN
    const calls = Array.from({ length }, () => callApi(callOf(origin), TOKENS, api.effects))
    await settle()
    await expect(callApi(callOf(origin), TOKENS, api.effects)).rejects.toMatchObject(RATE_LIMITED)
    expect(api.held).toHaveLength(MAX_CALLS_OF_ORIGIN)
    api.open()
    await Promise.all(calls)
  })

  test('a call that waits too long is not sent: rate_limited', async () => {
    const api = holdingApi()
    const origin = newOrigin()
    const running = Array.from({ length: MAX_CALLS_OF_ORIGIN }, () =>
      callApi(callOf(origin), TOKENS, api.effects),
    )
    limits.waitMs = 20
    await expect(callApi(callOf(origin), TOKENS, api.effects)).rejects.toMatchObject(RATE_LIMITED)
    expect(api.held).toHaveLength(MAX_CALLS_OF_ORIGIN)
    api.open()
    await Promise.all(running)
  })

  test('a call that is aborted while it waits leaves the queue', async () => {
    const api = holdingApi()
    const origin = newOrigin()
    const running = Array.from({ length: MAX_CALLS_OF_ORIGIN }, () =>
      callApi(callOf(origin), TOKENS, api.effects),
    )
    const controller = new AbortController()
    const { signal } = controller
    const waiting = callApi(callOf(origin), TOKENS, { ...api.effects, signal })
    await settle()
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    api.open()
    await Promise.all(running)
  })
})

describe('A11f: what pages send', () => {
  let requests = 0
  /** A call that is at its site's check until `settle`: no site of this file is switched on. */
  function send(origin: string, method: string, params: object): Promise<Outcome> {
    requests += 1
    const request = { id: requests, attempt: 0, userActivation: true, visible: true }
    return Promise.resolve(
      handlePageRequest(
        { origin, tabId: 1, documentId: 'document' },
        `call ${requests}`,
        { ...request, method, params },
        () => {},
      ),
    )
  }
  const url = 'https://api.example/x'
  const body = new ArrayBuffer(5 * MIB)
  const fetchWith = (origin: string) =>
    send(origin, 'northbound_fetch', { url, method: 'POST', body })
  const codes = async (calls: Promise<Outcome>[]) =>
    (await Promise.all(calls)).map((outcome) => 'error' in outcome && outcome.error.code)

  const expectCut = (found: unknown[], passing: number) =>
    expect(found).toEqual(found.map((_, index) => (index < passing ? 4100 : 4290)))

  test('300 calls of 5 MiB: what exceeds the octets of an origin is rate_limited', async () => {
    const origin = newOrigin()
    const passing = Math.floor(MAX_OCTETS_OF_ORIGIN / body.byteLength)
    const calls = () => codes(Array.from({ length: 300 }, () => fetchWith(origin)))
    expectCut(await calls(), passing)
    // The first ones have ended, and gave their octets back.
    expectCut(await calls(), passing)
  })

  test('a call that exceeds the limit alone is invalid_params: a later call would exceed it too', async () => {
    const huge = { url, method: 'POST', body: new ArrayBuffer(MAX_OCTETS_OF_ORIGIN + 1) }
    expect(await codes([send(newOrigin(), 'northbound_fetch', huge)])).toEqual([-32602])
  })

  test.each([
    ['a body of a proof', 'northbound_createProof', { grantId: 'g', htm: 'POST', htu: url, body }],
    ['a text', 'northbound_fetch', { url, body: 'x'.repeat(2.5 * MIB) }],
    ['header fields', 'northbound_fetch', { url, headers: { accept: 'x'.repeat(2.5 * MIB) } }],
    ['parameters of another method', 'northbound_connect', { issuer: 'x'.repeat(2.5 * MIB) }],
  ])('%s counts too', async (_, method, params) => {
    const origin = newOrigin()
    const calls = Array.from({ length: 30 }, () => send(origin, method, params))
    expectCut(await codes(calls), 12)
  })

  test('the octets of all origins together are limited', async () => {
    const calls = Array.from({ length: 6 }, newOrigin).flatMap((origin) =>
      Array.from({ length: 10 }, () => fetchWith(origin)),
    )
    expectCut(await codes(calls), Math.floor(MAX_OCTETS / body.byteLength))
  })

  test('1,000 small calls at once pass', async () => {
    const origin = newOrigin()
    const calls = Array.from({ length: 1_000 }, (_, i) =>
      send(origin, 'northbound_getAccessToken', { minValiditySeconds: i }),
    )
    expect(new Set(await codes(calls))).toEqual(new Set([4100]))
  })
})
