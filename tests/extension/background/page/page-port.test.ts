/**
 * Serving the port of a document: batches, keep-alives, invalid messages, closed ports.
 *
 * Seen to fail when: each answer is sent as a message of its own; a batch that is too large is lost; a
 * closed port throws (also for a cached answer, which is sent at once); a document that may not call gets
 * no answer; a call is identified by its number alone; a deduplication key is not decoded, or is decoded
 * at any length, or beside parameters; an invalid message fails the other messages of its batch;
 * `BrokerReady` is not sent, or is sent to a document that may not call.
 */

import 'fake-indexeddb/auto'
import fake from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', async () => ({
  default: (await import('../../support/fake-browser.ts')).default,
}))

/** Cached answers, by the key of the request. */
const cached = new Map<string, object>()
vi.mock('../../../../extension/background/tokens/access-token-cache.ts', () => ({
  findCachedAnswer: (_origin: string, key: string) => cached.get(key),
}))

import { describe, expect, test, vi } from 'vitest'
import type {
  BrokerAnswer,
  UnverifiedPageMessage,
  UnverifiedPageRequest,
} from '../../../../shared/messages/broker-channel.ts'
import { WITHIN_MS } from '../../support/time-limit.ts'

const { servePage } = await import('../../../../extension/background/page/page-port.ts')

const request = (id: number): UnverifiedPageRequest => ({
  id,
  method: 'broker_getInfo',
  params: undefined,
  attempt: 0,
  userActivation: false,
  visible: true,
})

/** A request that has its answer in the cache. */
function cachedRequest(id: number): UnverifiedPageRequest {
  const method = 'northbound_getAccessToken'
  const key = `${method}{"minValiditySeconds":${id}}`
  cached.set(key, { answer: { accessToken: `opaque ${id}` }, log: () => {} })
  return { ...request(id), method, key }
}

function open(
  postMessage: (answers: BrokerAnswer[]) => void,
  { name = 'document', documentLifecycle = 'active', isClosed = false } = {},
) {
  /** Sent `BrokerReady` messages. */
  const readyMessages: BrokerAnswer[] = []
  let receive: (messages: UnverifiedPageMessage[]) => void = () => {}
  const port = {
    name,
    sender: {
      id: fake.runtime.id,
      frameId: 0,
      documentId: 'document',
      documentLifecycle,
      origin: 'http://localhost:5000',
      tab: { id: 1 },
    },
    onMessage: { addListener: (listener: typeof receive) => (receive = listener) },
    onDisconnect: { addListener: () => {} },
    disconnect: vi.fn<() => void>(),
    postMessage: (answers: BrokerAnswer[]) => {
      if (answers[0]?.id !== 0) return postMessage(answers)
      readyMessages.push(...answers)
      if (isClosed) throw new Error('Attempt to postMessage on disconnected port')
    },
  }
  servePage(port as unknown as Parameters<typeof servePage>[0])
  return { receive, port, readyMessages }
}

describe('a document’s port', () => {
  test('BrokerReady is sent when the port opens, and in answer to a keep-alive', () => {
    const post = vi.fn<(answers: BrokerAnswer[]) => void>()
    const { receive, readyMessages } = open(post)
    expect(readyMessages).toEqual([{ id: 0 }])
    receive([{ id: 7 }])
    expect(readyMessages).toEqual([{ id: 0 }, { id: 0 }])
    // An abort is no keep-alive.
    receive([{ id: 7, isOver: true }])
    expect(readyMessages).toHaveLength(2)
    expect(post).not.toHaveBeenCalled()
  })

  test('a port that is closed when BrokerReady is sent throws no error', () => {
    expect(open(() => {}, { isClosed: true }).readyMessages).toEqual([{ id: 0 }])
  })

  test('a document that may not call gets no BrokerReady', () => {
    expect(open(() => {}, { documentLifecycle: 'prerender' }).readyMessages).toEqual([])
  })

  test('the answers to a batch that are ready in the same task are sent as one batch', async () => {
    const batches: BrokerAnswer[][] = []
    const { receive } = open((answers) => batches.push(answers))
    receive(Array.from({ length: 1_000 }, (_, index) => request(index + 1)))
    await vi.waitFor(() => expect(batches).toHaveLength(1), WITHIN_MS)
    expect(batches[0]?.map(({ id }) => id).at(-1)).toBe(1_000)
    expect(batches[0]).toHaveLength(1_000)
  })

  test('the answers of a batch that is too large are sent one by one', async () => {
    const sent: BrokerAnswer[] = []
    const { receive } = open((answers) => {
      if (answers.length > 1) throw new Error('Message length exceeded maximum allowed length.')
      sent.push(...answers)
    })
    receive([request(1), request(2)])
    await vi.waitFor(() => expect(sent.map(({ id }) => id)).toEqual([1, 2]), WITHIN_MS)
  })

  test.each([
    ['a method', request],
    ['the cache', cachedRequest],
  ])('a closed port throws no error for the answers of %s', async (_source, requestOf) => {
    const post = vi.fn<() => void>(() => {
      throw new Error('Attempt to postMessage on disconnected port')
    })
    const { receive } = open(post)
    receive([requestOf(1), requestOf(2)])
    // Once as a batch, then each answer by itself.
    await vi.waitFor(() => expect(post).toHaveBeenCalledTimes(3), WITHIN_MS)
  })

  test('a single cached answer is sent in the same task, and a closed port throws no error', () => {
    const post = vi.fn<(answers: BrokerAnswer[]) => void>()
    const { receive } = open(post)
    receive([cachedRequest(1)])
    expect(post.mock.calls).toEqual([[[{ id: 1, result: { accessToken: 'opaque 1' } }]]])
    post.mockImplementation(() => {
      throw new Error('Attempt to postMessage on disconnected port')
    })
    receive([cachedRequest(1)])
    expect(post).toHaveBeenCalledTimes(2)
  })

  test('the cached answers of a batch that is too large are sent one by one', async () => {
    const sent: BrokerAnswer[] = []
    const { receive } = open((answers) => {
      if (answers.length > 1) throw new Error('Message length exceeded maximum allowed length.')
      sent.push(...answers)
    })
    receive([cachedRequest(1), cachedRequest(2)])
    await vi.waitFor(
      () =>
        expect(sent).toEqual([1, 2].map((id) => ({ id, result: { accessToken: `opaque ${id}` } }))),
      WITHIN_MS,
    )
  })

  test('calls of two documents with the same number are answered separately', async () => {
    const sent: BrokerAnswer[] = []
    const postMessage = (answers: BrokerAnswer[]) => void sent.push(...answers)
    open(postMessage, { name: 'first' }).receive([request(7)])
    open(postMessage, { name: 'second' }).receive([{ ...request(7), method: 'unknown' }])
    await vi.waitFor(() => expect(sent).toHaveLength(2), WITHIN_MS)
    expect(sent.find((answer) => 'error' in answer)).toMatchObject({ error: { code: 4200 } })
  })

  test('invalid messages of a page that bypasses the provider do not fail its other calls', async () => {
    const sent: BrokerAnswer[] = []
    const { receive } = open((answers) => void sent.push(...answers))
    const invalid = { toString: 1, valueOf: 1 } as never
    receive([
      { ...request(21), method: invalid },
      { ...request(22), method: invalid, params: {} },
      { ...request(23), id: invalid },
      { ...request(25), key: invalid, params: undefined },
      { id: invalid, isOver: true },
      request(24),
    ])
    await vi.waitFor(() => expect(sent).toMatchObject([{ id: 24 }]), WITHIN_MS)
  })

  test('the parameters of a deduplicated request are decoded from its key', async () => {
    const sent: BrokerAnswer[] = []
    const { receive } = open((answers) => void sent.push(...answers))
    const rest = { attempt: 0, params: undefined, userActivation: false, visible: true }
    receive([
      { ...rest, id: 11, method: 'broker_getInfo', key: 'broker_getInfo{}' },
      { ...rest, id: 12, method: 'broker_getInfo', key: 'broker_getInfo{"grantId":"g"}' },
      { ...rest, id: 13, method: 'x_getInfo', key: 'x_getInfo{}' },
      { ...rest, id: 14, method: 'x_getInfo', key: 'broker_getInfo{}', params: {} },
      // Parsing this key would take far too long.
      {
        ...rest,
        id: 15,
        method: 'broker_getInfo',
        key: `broker_getInfo{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`,
      },
    ])
    await vi.waitFor(() => expect(sent).toHaveLength(5), WITHIN_MS)
    const byId = sent.sort((first, second) => first.id - second.id)
    expect(byId).toMatchObject([
      { result: { protocol: '1' } },
      { error: { code: -32602 } },
      { error: { code: 4200 } },
      { error: { code: 4200 } },
      { error: { code: -32602, message: expect.stringContaining('at most 100,000 characters') } },
    ])
  })

  test('B23: each call of a document that is not active gets an error, and the port is closed', async () => {
    const batches: BrokerAnswer[][] = []
    const { receive, port } = open((answers) => batches.push(answers), {
      documentLifecycle: 'prerender',
    })
    receive([request(1), request(2)])
    await vi.waitFor(() => expect(port.disconnect).toHaveBeenCalled(), WITHIN_MS)
    expect(batches.flat()).toMatchObject([
      { id: 1, error: { code: -32600 } },
      { id: 2, error: { code: -32600 } },
    ])
  })
})
