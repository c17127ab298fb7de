/**
 * The worker's end of a document's port.
 *
 * Seen to fail when: each answer is a message of its own, answers too large together are lost, a port
 * that is closed throws (also where what is known is sent at once), and a document that may not ask hears
 * nothing.
 */

import 'fake-indexeddb/auto'
import fake from './fake-browser.ts'

vi.mock('webextension-polyfill', async () => ({
  default: (await import('./fake-browser.ts')).default,
}))

const known = new Map<string, object>()
vi.mock('../../extension/background/given-again.ts', () => ({
  givenAgain: (_origin: string, { requestId }: UnverifiedPageMessage) => known.get(requestId),
}))

import { describe, expect, test, vi } from 'vitest'
import type { BrokerAnswer, UnverifiedPageMessage } from '../../shared/messages/broker-channel.ts'

const { servePage } = await import('../../extension/background/page-port.ts')

const request = (requestId: string): UnverifiedPageMessage => ({
  requestId,
  method: 'broker_getInfo',
  params: undefined,
  attempt: 0,
  userActivation: false,
  visible: true,
})

function open(postMessage: (answers: BrokerAnswer[]) => void, documentLifecycle = 'active') {
  let hear: (messages: UnverifiedPageMessage[]) => void = () => {}
  const port = {
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
    postMessage,
  }
  servePage(port as unknown as Parameters<typeof servePage>[0])
  return { hear, port }
}

describe('a document’s port', () => {
  test('what is asked in one message, and known at once, is answered in one', async () => {
    const told: BrokerAnswer[][] = []
    const { hear } = open((answers) => told.push(answers))
    hear(Array.from({ length: 1_000 }, (_, index) => request(`many-${index}`)))
    await vi.waitFor(() => expect(told).toHaveLength(1))
    expect(told[0]?.map(({ requestId }) => requestId).at(-1)).toBe('many-999')
    expect(told[0]).toHaveLength(1_000)
  })

  test('answers that are too large together go one by one', async () => {
    const told: BrokerAnswer[] = []
    const { hear } = open((answers) => {
      if (answers.length > 1) throw new Error('Message length exceeded maximum allowed length.')
      told.push(...answers)
    })
    hear([request('large'), request('larger')])
    await vi.waitFor(() =>
      expect(told.map(({ requestId }) => requestId)).toEqual(['large', 'larger']),
    )
  })

  test.each([
    ['asked', []],
    ['known', ['closed', 'also closed']],
  ])('a port that is closed takes nothing along: what is %s', async (_what, ids) => {
    for (const id of ids) known.set(id, { accessToken: 'opaque' })
    const post = vi.fn<() => void>(() => {
      throw new Error('Attempt to postMessage on disconnected port')
    })
    const { hear } = open(post)
    hear([request('closed'), request('also closed')])
    // Together, and one by one.
    await vi.waitFor(() => expect(post).toHaveBeenCalledTimes(3))
  })

  test('of several answers that are known already and too large together, each comes', async () => {
    for (const id of ['one', 'two']) known.set(id, { accessToken: id })
    const told: BrokerAnswer[] = []
    const { hear } = open((answers) => {
      if (answers.length > 1) throw new Error('Message length exceeded maximum allowed length.')
      told.push(...answers)
    })
    hear([request('one'), request('two')])
    await vi.waitFor(() =>
      expect(told).toEqual(
        ['one', 'two'].map((id) => ({ requestId: id, outcome: { result: { accessToken: id } } })),
      ),
    )
  })

  test('B23: a document that is not active hears so for each call, and may come again', async () => {
    const told: BrokerAnswer[][] = []
    const { hear, port } = open((answers) => told.push(answers), 'prerender')
    hear([request('one'), request('two')])
    await vi.waitFor(() => expect(port.disconnect).toHaveBeenCalled())
    expect(told.flat()).toMatchObject([
      { requestId: 'one', outcome: { error: { code: -32600 } } },
      { requestId: 'two', outcome: { error: { code: -32600 } } },
    ])
  })
})
