/**
 * Request log: waiting for requests by event, without polling. The first group adds entries to a log; the second
 * waits for real exchanges at a running network.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type LogEntry,
  LogTimeoutError,
  type Network,
  RequestLog,
} from '../../demo-site/network/index.ts'
import { startTestNetwork } from './support/client.ts'
import { openWebSocket } from './support/websocket.ts'

const REQUEST = {
  server: 'authorization-function',
  timeMs: 0,
  from: '127.0.0.1',
  method: 'POST',
  path: '/token',
  query: {},
  headers: {},
}

function answerRequest(log: RequestLog, entry: LogEntry, status = 200): void {
  entry.status = status
  log.markAnswered(entry)
  log.markCompleted(entry)
}

/** Value of a promise that has settled already, or `pending`. */
async function stateOf(promise: Promise<LogEntry>): Promise<LogEntry | 'pending'> {
  return Promise.race([
    promise,
    new Promise<'pending'>((resolve) => setImmediate(resolve, 'pending')),
  ])
}

describe('waitFor', () => {
  it('resolves with a request that was answered before the call', async () => {
    const log = new RequestLog()
    const entry = log.add(REQUEST)
    answerRequest(log, entry)
    expect(await stateOf(log.waitFor({ path: '/token' }))).toBe(entry)
  })

  it('resolves when a later request is answered, not when it arrives', async () => {
    const log = new RequestLog()
    const waiting = log.waitFor({ method: 'POST', path: /token$/ })
    const entry = log.add(REQUEST)
    expect(await stateOf(waiting)).toBe('pending')
    answerRequest(log, entry)
    expect(await stateOf(waiting)).toBe(entry)
  })

  it('resolves on arrival with until: arrived', async () => {
    const log = new RequestLog()
    const waiting = log.waitFor({ path: '/token' }, { until: 'arrived' })
    log.add({ ...REQUEST, path: '/auth' })
    expect(await stateOf(waiting)).toBe('pending')
    const entry = log.add(REQUEST)
    expect(await stateOf(waiting)).toBe(entry)
    expect(await stateOf(log.waitFor({ path: '/token' }, { until: 'arrived' }))).toBe(entry)
  })

  it('ignores an exchange that ends without an answer', async () => {
    const log = new RequestLog()
    const waiting = log.waitFor({ path: '/token' })
    log.markCompleted(log.add(REQUEST))
    expect(await stateOf(waiting)).toBe('pending')
    const entry = log.add(REQUEST)
    answerRequest(log, entry)
    expect(await waiting).toBe(entry)
  })

  it('compares status and members of the body once they are known', async () => {
    const log = new RequestLog()
    const filter = { status: 200, body: { grant_type: 'refresh_token' } }
    const waiting = log.waitFor(filter, { until: 'arrived' })
    for (const [grantType, status] of [
      ['authorization_code', 200],
      ['refresh_token', 503],
    ] as const) {
      const entry = log.add(REQUEST)
      entry.body = { grant_type: grantType }
      answerRequest(log, entry, status)
    }
    expect(await stateOf(waiting)).toBe('pending')
    const entry = log.add(REQUEST)
    entry.body = { grant_type: 'refresh_token' }
    answerRequest(log, entry)
    expect(await stateOf(waiting)).toBe(entry)
  })

  it('counts only later requests with afterId, also across clear()', async () => {
    const log = new RequestLog()
    const first = log.add(REQUEST)
    answerRequest(log, first)
    const waiting = log.waitFor({ path: '/token' }, { afterId: log.lastId })
    expect(await stateOf(waiting)).toBe('pending')
    log.clear()
    const second = log.add(REQUEST)
    answerRequest(log, second)
    expect(await waiting).toBe(second)
    const third = log.add(REQUEST)
    answerRequest(log, third)
    expect(await log.waitFor({}, { afterId: second.id })).toBe(third)
  })

  it('resolves every call that waits for the same request', async () => {
    const log = new RequestLog()
    const waiting = Array.from({ length: 20 }, () => log.waitFor({ path: '/token' }))
    const entry = log.add(REQUEST)
    answerRequest(log, entry)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([entry]))
  })

  it('rejects after the time limit, and names the filter and the requests that came close', async () => {
    const log = new RequestLog()
    log.add({ ...REQUEST, path: '/auth' })
    answerRequest(log, log.add({ ...REQUEST, query: { code: 'secret' } }), 400)
    log.add(REQUEST)
    const error = await log
      .waitFor({ path: /token$/, status: 200 }, { timeoutMs: 20 })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(LogTimeoutError)
    expect((error as Error).message).toBe(
      'no request that matches {"path":"/token$/","status":200} answered within 20 ms; 2 of 3 in the' +
        ' log have this server, method and path: #2 POST /token (400), #3 POST /token (no answer)',
    )
  })

  it('rejects with the reason of the signal, before and during the wait', async () => {
    const log = new RequestLog()
    const controller = new AbortController()
    const waiting = log.waitFor({}, { signal: controller.signal })
    controller.abort(new Error('test ended'))
    await expect(waiting).rejects.toThrow('test ended')
    await expect(log.waitFor({}, { signal: controller.signal })).rejects.toThrow('test ended')
  })
})

describe('waitFor at a running network', () => {
  const PATH = '/.well-known/openid-configuration'
  let network: Network

  beforeAll(async () => {
    network = await startTestNetwork()
  })
  afterAll(() => network.close())

  it('waits for a request that a fault holds, and then for its answer', async () => {
    const { lastId } = network.log
    const fault = network.faults.add({
      path: PATH,
      action: { type: 'hold', before: 'answering' },
    })
    const response = fetch(`${network.issuer}${PATH}`)
    const held = await network.log.waitFor({ path: PATH }, { until: 'arrived', afterId: lastId })
    const answered = network.log.waitFor({ path: PATH, status: 200 }, { afterId: lastId })
    expect(await stateOf(answered)).toBe('pending')
    network.faults.remove(fault)
    expect(await answered).toBe(held)
    expect((await response).status).toBe(200)
    expect(held.answerHeaders).toMatchObject({ 'content-type': expect.stringContaining('json') })
  })

  it('does not take a dropped request as answered', async () => {
    const { lastId } = network.log
    const fault = network.faults.add({
      path: PATH,
      action: { type: 'drop', when: 'after-processing' },
    })
    await expect(fetch(`${network.issuer}${PATH}`)).rejects.toThrow()
    network.faults.remove(fault)
    await fetch(`${network.issuer}${PATH}`)
    const entry = await network.log.waitFor({ path: PATH }, { afterId: lastId })
    expect(entry).toMatchObject({ id: lastId + 2, status: 200 })
  })

  it('takes an upgrade as answered while its WebSocket is open (RFC 6455 section 4.2.2)', async () => {
    const url = `${network.userPlaneOrigin.replace('http', 'ws')}/datagrams`
    const webSocket = await openWebSocket(url)
    const entry = await network.log.waitFor({ path: '/datagrams', status: 101 })
    expect(entry.server).toBe('user-plane')
    webSocket.close()
  })
})
