/**
 * The worker's end of a document's port.
 *
 * Seen to fail when: each answer is a message of its own, answers too large together are lost, a port
 * that is closed throws (also where what is known is sent at once), a document that may not ask hears
 * nothing, a call is known by its number alone, a key is not read, or read however long it is, or where
 * parameters stand beside it, what is no call at all takes others along, and nobody says that the broker
 * is here, or does so to a document that may not ask.
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
  /** That the broker is here. */
  const told: BrokerAnswer[] = []
  let hear: (messages: UnverifiedPageMessage[]) => void = () => {}
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
    onMessage: { addListener: (listener: typeof hear) => (hear = listener) },
    onDisconnect: { addListener: () => {} },
    disconnect: vi.fn<() => void>(),
    postMessage: (answers: BrokerAnswer[]) => {
      if (answers[0]?.id !== 0) return postMessage(answers)
      told.push(...answers)
      if (isClosed) throw new Error('Attempt to postMessage on disconnected port')
    },
  }
  servePage(port as unknown as Parameters<typeof servePage>[0])
  return { hear, port, told }
}

describe('a document’s port', () => {
  test('the broker says that it is here: at once, and to whoever still waits', () => {
    const post = vi.fn<(answers: BrokerAnswer[]) => void>()
    const { hear, told } = open(post)
    expect(told).toEqual([{ id: 0 }])
    hear([{ id: 7 }])
    expect(told).toEqual([{ id: 0 }, { id: 0 }])
    // Who does not wait any more need not know.
    hear([{ id: 7, isOver: true }])
    expect(told).toHaveLength(2)
    expect(post).not.toHaveBeenCalled()
  })

  test('one that is closed already does no harm', () => {
    expect(open(() => {}, { isClosed: true }).told).toEqual([{ id: 0 }])
  })

  test('a document that may not ask does not hear that the broker is here', () => {
    expect(open(() => {}, { documentLifecycle: 'prerender' }).told).toEqual([])
  })

  test('what is asked in one message, and known at once, is answered in one', async () => {
    const told: BrokerAnswer[][] = []
    const { hear } = open((answers) => told.push(answers))
    hear(Array.from({ length: 1_000 }, (_, index) => request(index + 1)))
    await vi.waitFor(() => expect(told).toHaveLength(1))
    expect(told[0]?.map(({ id }) => id).at(-1)).toBe(1_000)
    expect(told[0]).toHaveLength(1_000)
  })

  test('answers that are too large together go one by one', async () => {
    const told: BrokerAnswer[] = []
    const { hear } = open((answers) => {
      if (answers.length > 1) throw new Error('Message length exceeded maximum allowed length.')
      told.push(...answers)
    })
    hear([request(1), request(2)])
    await vi.waitFor(() => expect(told.map(({ id }) => id)).toEqual([1, 2]))
  })

  test.each([
    ['asked', request],
    ['known', cachedRequest],
  ])('a port that is closed takes nothing along: what is %s', async (_what, requestOf) => {
    const post = vi.fn<() => void>(() => {
      throw new Error('Attempt to postMessage on disconnected port')
    })
    const { hear } = open(post)
    hear([requestOf(1), requestOf(2)])
    // Together, and one by one.
    await vi.waitFor(() => expect(post).toHaveBeenCalledTimes(3))
  })

  test('one that is known is answered at once, and a port that is closed takes nothing along', () => {
    const post = vi.fn<(answers: BrokerAnswer[]) => void>()
    const { hear } = open(post)
    hear([cachedRequest(1)])
    expect(post.mock.calls).toEqual([[[{ id: 1, result: { accessToken: 'opaque 1' } }]]])
    post.mockImplementation(() => {
      throw new Error('Attempt to postMessage on disconnected port')
    })
    hear([cachedRequest(1)])
    expect(post).toHaveBeenCalledTimes(2)
  })

  test('of several answers that are known already and too large together, each comes', async () => {
    const told: BrokerAnswer[] = []
    const { hear } = open((answers) => {
      if (answers.length > 1) throw new Error('Message length exceeded maximum allowed length.')
      told.push(...answers)
    })
    hear([cachedRequest(1), cachedRequest(2)])
    await vi.waitFor(() =>
      expect(told).toEqual([1, 2].map((id) => ({ id, result: { accessToken: `opaque ${id}` } }))),
    )
  })

  test('calls of two documents are two, also under one number', async () => {
    const told: BrokerAnswer[] = []
    const tell = (answers: BrokerAnswer[]) => void told.push(...answers)
    open(tell, { name: 'one' }).hear([request(7)])
    open(tell, { name: 'other' }).hear([{ ...request(7), method: 'unknown' }])
    await vi.waitFor(() => expect(told).toHaveLength(2))
    expect(told.find((answer) => 'error' in answer)).toMatchObject({ error: { code: 4200 } })
  })

  test('a page that speaks without its provider takes none of its calls along', async () => {
    const told: BrokerAnswer[] = []
    const { hear } = open((answers) => void told.push(...answers))
    const odd = { toString: 1, valueOf: 1 } as never
    hear([
      { ...request(21), method: odd },
      { ...request(22), method: odd, params: {} },
      { ...request(23), id: odd },
      { ...request(25), key: odd, params: undefined },
      { id: odd, isOver: true },
      request(24),
    ])
    await vi.waitFor(() => expect(told).toMatchObject([{ id: 24 }]))
  })

  test('a call that was joined comes as its key', async () => {
    const told: BrokerAnswer[] = []
    const { hear } = open((answers) => void told.push(...answers))
    const rest = { attempt: 0, params: undefined, userActivation: false, visible: true }
    hear([
      { ...rest, id: 11, method: 'broker_getInfo', key: 'broker_getInfo{}' },
      { ...rest, id: 12, method: 'broker_getInfo', key: 'broker_getInfo{"grantId":"g"}' },
      { ...rest, id: 13, method: 'x_getInfo', key: 'x_getInfo{}' },
      { ...rest, id: 14, method: 'x_getInfo', key: 'broker_getInfo{}', params: {} },
      // Without an end to it, were it read.
      {
        ...rest,
        id: 15,
        method: 'broker_getInfo',
        key: `broker_getInfo{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`,
      },
    ])
    await vi.waitFor(() => expect(told).toHaveLength(5))
    const byId = told.sort((one, other) => one.id - other.id)
    expect(byId).toMatchObject([
      { result: { protocol: '1' } },
      { error: { code: -32602 } },
      { error: { code: 4200 } },
      { error: { code: 4200 } },
      { error: { code: -32602, message: expect.stringContaining('at most 100,000 characters') } },
    ])
  })

  test('B23: a document that is not active hears so for each call, and may come again', async () => {
    const told: BrokerAnswer[][] = []
    const { hear, port } = open((answers) => told.push(answers), { documentLifecycle: 'prerender' })
    hear([request(1), request(2)])
    await vi.waitFor(() => expect(port.disconnect).toHaveBeenCalled())
    expect(told.flat()).toMatchObject([
      { id: 1, error: { code: -32600 } },
      { id: 2, error: { code: -32600 } },
    ])
  })
})
