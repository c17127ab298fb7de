/**
 * What is said in one turn goes together.
 *
 * Seen to fail when: each message goes alone, what is said while others are sent is lost, what cannot be
 * sent as a whole is lost, and what is said is kept in a list, whose places a page can give setters.
 */

import { describe, expect, test, vi } from 'vitest'
import { createBatch } from '../../../shared/messages/message-batch.ts'

const [one, two, three, four] = [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]

describe('messages of one turn', () => {
  test('go together, in their order, when it is over', async () => {
    const send = vi.fn<(list: object[]) => void>()
    const say = createBatch(send, queueMicrotask)
    for (const message of [one, two, three]) say(message)
    expect(send).not.toHaveBeenCalled()
    await Promise.resolve()
    say(four)
    await Promise.resolve()
    expect(send.mock.calls).toEqual([[[one, two, three]], [[four]]])
  })

  test('who is alone goes at once, but passes nobody', async () => {
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

  test('what is said while the others are sent goes next', async () => {
    const lists: object[][] = []
    const say = createBatch<object>((list) => {
      lists.push(list)
      if (list.includes(one)) say(two)
    }, queueMicrotask)
    say(one)
    await vi.waitFor(() => expect(lists).toEqual([[one], [two]]))
  })

  test('go one by one where they are too large as a whole', async () => {
    const lists: object[][] = []
    const say = createBatch<object>((list) => {
      if (list.length > 1) throw new Error('Data cannot be cloned, out of memory.')
      lists.push(list)
    }, queueMicrotask)
    for (const message of [one, two]) say(message)
    await vi.waitFor(() => expect(lists).toEqual([[one], [two]]))
  })

  test('B14: go also where every object has a setter for the places of a list', async () => {
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
