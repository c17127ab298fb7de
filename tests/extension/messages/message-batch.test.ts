/**
 * What is said in one turn goes together.
 *
 * Seen to fail when: each message goes alone, what is said while others are sent is lost, what cannot be
 * sent as a whole is lost, and what is said is kept in a list, whose places a page can give setters.
 */

import { describe, expect, test, vi } from 'vitest'
import { createBatch } from '../../../shared/messages/message-batch.ts'

const [one, two, three, four] = [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]

describe('the messages of one task', () => {
  test('are sent as one batch, in their order, at the end of the task', async () => {
    const send = vi.fn<(list: object[]) => void>()
    const say = createBatch(send, queueMicrotask)
    for (const message of [one, two, three]) say(message)
    expect(send).not.toHaveBeenCalled()
    await Promise.resolve()
    say(four)
    await Promise.resolve()
    expect(send.mock.calls).toEqual([[[one, two, three]], [[four]]])
  })

  test('a message without company is sent at once, but never before a queued message', async () => {
    const send = vi.fn<(list: object[]) => void>()
    const say = createBatch(send, queueMicrotask)
    say(one, true)
    expect(send.mock.calls).toEqual([[[one]]])
    say(two)
    say(three, true)
    expect(send).toHaveBeenCalledTimes(1)
    await Promise.resolve()
    expect(send.mock.calls).toEqual([[[one]], [[two, three]]])
  })

  test('a message that is queued during a flush is sent in the next batch', async () => {
    const lists: object[][] = []
    const say = createBatch<object>((list) => {
      lists.push(list)
      if (list.includes(one)) say(two)
    }, queueMicrotask)
    say(one)
    await vi.waitFor(() => expect(lists).toEqual([[one], [two]]))
  })

  test('are sent one by one if the batch is too large', async () => {
    const lists: object[][] = []
    const say = createBatch<object>((list) => {
      if (list.length > 1) throw new Error('Data cannot be cloned, out of memory.')
      lists.push(list)
    }, queueMicrotask)
    for (const message of [one, two]) say(message)
    await vi.waitFor(() => expect(lists).toEqual([[one], [two]]))
  })

  test('B14: are sent although every object has a setter for array indices', async () => {
    const send = vi.fn<(list: object[]) => void>()
    const say = createBatch(send, queueMicrotask)
    Object.defineProperty(Object.prototype, '0', { set: () => {}, configurable: true })
    try {
      say(one)
    } finally {
      Reflect.deleteProperty(Object.prototype, '0')
    }
    await Promise.resolve()
    expect(send.mock.calls).toEqual([[[one]]])
  })
})
