/** Limits of a request: size of the response, timeout, abort; and the loopback hosts. */

import { describe, expect, test } from 'vitest'
import { redeemCode } from '../../../shared/core/index.ts'
import { isLoopbackHost } from '../../../shared/oauth/url-policy.ts'
import { type Answer, closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import { redeemable, TOKEN_ENDPOINT, TOKEN_RESPONSE } from '../support/fixtures.ts'

async function tokenError(answer: Answer, timeoutMs?: number) {
  const network = closedNetwork(timeoutMs === undefined ? {} : { timeoutMs }).on(
    TOKEN_ENDPOINT,
    answer,
  )
  return failure(redeemCode(await redeemable(network), network))
}

const OCTETS = new TextEncoder().encode(JSON.stringify(TOKEN_RESPONSE))
const type = { headers: { 'content-type': 'application/json' } }

describe('limits of a response', () => {
  test('T04: an endless body is cut at 256 kB', async () => {
    let pulled = 0
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(16_384).fill(0x20))
      },
      cancel() {
        cancelled = true
      },
    })
    expect((await tokenError(new Response(endless, type))).code).toBe('invalid_response')
    expect(pulled).toBeLessThan(20)
    expect(cancelled).toBe(true)
  })

  test('T04: a body that announces 50 MB is not read', async () => {
    const headers = { ...type.headers, 'content-length': '52428800' }
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1)),
    })
    expect((await tokenError(new Response(body, { headers }))).code).toBe('invalid_response')
  })

  test('T04: a body of just under 256 kB is read', async () => {
    const padded = JSON.stringify({ ...TOKEN_RESPONSE, padding: 'x'.repeat(260_000) })
    const network = closedNetwork().on(TOKEN_ENDPOINT, json(padded))
    const tokens = await redeemCode(await redeemable(network), network)
    expect(tokens.accessToken).toBe(TOKEN_RESPONSE.access_token)
  })

  test('T04: 100,000 brackets overflow no stack and take no long time', async () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect((await tokenError(json(deep))).code).toBe('invalid_response')
  })

  /** A response like one of `fetch`, with its body in one chunk. Its stream ends or stays open. */
  function responseWithLength(
    length: number,
    open: boolean,
    {
      kind = 'basic',
      headers = {},
    }: { kind?: ResponseType; headers?: Record<string, string> } = {},
  ) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(OCTETS)
        if (!open) controller.close()
      },
    })
    const response = new Response(body, {
      headers: { ...type.headers, 'content-length': String(length), ...headers },
    })
    return Object.defineProperty(response, 'type', { value: kind })
  }

  test.each([
    ['its stream stays open', responseWithLength(OCTETS.length, true)],
    ['content-length is too small', responseWithLength(OCTETS.length - 1, false)],
    ['content-length is too large', responseWithLength(OCTETS.length + 1, false)],
  ])('T04: a body is read to its end if %s', async (_case, answer) => {
    const network = closedNetwork({ timeoutMs: 1000 }).on(TOKEN_ENDPOINT, answer)
    const tokens = await redeemCode(await redeemable(network), network)
    expect(tokens.accessToken).toBe(TOKEN_RESPONSE.access_token)
  })

  // Seen to fail without the check of the length, of `content-encoding` and of `type`, one at a time.
  test.each([
    ['is shorter than announced', responseWithLength(OCTETS.length + 1, true)],
    ['is longer than announced', responseWithLength(OCTETS.length - 1, true)],
    [
      'was encoded',
      responseWithLength(OCTETS.length, true, { headers: { 'content-encoding': 'gzip' } }),
    ],
    ['may have been encoded', responseWithLength(OCTETS.length, true, { kind: 'cors' })],
  ])('N05: a body that hangs and %s is a timeout', async (_case, answer) => {
    expect((await tokenError(answer, 20)).code).toBe('timeout')
  })

  test('L07: a server that never answers is a timeout, even if fetch ignores its signal', async () => {
    expect((await tokenError(() => new Promise<Response>(() => undefined), 20)).code).toBe(
      'timeout',
    )
  })

  test('the timeout is at most 25 s, before the browser stops a worker', async () => {
    const { timeoutMs } = await import('../../../shared/oauth/effects.ts')
    expect(timeoutMs(closedNetwork({ timeoutMs: 600_000 }))).toBe(25_000)
    expect(timeoutMs(closedNetwork())).toBe(10_000)
  })

  test('an abort by the caller rejects the request at once', async () => {
    const controller = new AbortController()
    const network = closedNetwork({ signal: controller.signal }).on(TOKEN_ENDPOINT, () => {
      controller.abort()
      return new Promise<Response>(() => undefined)
    })
    const error = await failure(redeemCode(await redeemable(network), network))
    expect(error.code).toBe('aborted')
  })

  test('N01: a failed connection is a network error without details of its cause', async () => {
    const error = await tokenError(() => {
      throw new TypeError('getaddrinfo ENOTFOUND as.example with code=secret')
    })
    expect(error.code).toBe('network_error')
    expect(JSON.stringify(error)).not.toContain('secret')
  })

  test('N03: an incomplete body is a network error', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"access_'))
        controller.error(new TypeError('reset'))
      },
    })
    expect((await tokenError(new Response(broken, type))).code).toBe('network_error')
  })
})

test.each([
  ['localhost', true],
  ['app.localhost', true],
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['[::1]', true],
  ['localhost.evil.example', false],
  ['evillocalhost', false],
  ['127.0.0.1.evil.example', false],
  ['10.0.0.1', false],
  ['[::2]', false],
  ['.localhost', false],
])('the host "%s" is loopback: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected)
})
