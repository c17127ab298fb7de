/**
 * Batching of the messages of one task.
 *
 * Seen to fail when: each message is sent by itself, a message that is queued during a flush is lost, a batch
 * that is too large is lost, and the queue is an array, whose indices can have setters of the page.
 */

import { describe, expect, test, vi } from 'vitest'
import { createBatch } from '../../../shared/messages/message-batch.ts'
import { WITHIN_MS } from '../support/time-limit.ts'

const [first, second, third, fourth] = [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]

describe('the messages of one task', () => {
  test('are sent as one batch, in their order, at the end of the task', async () => {
    const send = vi.fn<(batch: object[]) => void>()
    const queue = createBatch(send, queueMicrotask)
    for (const message of [first, second, third]) queue(message)
    expect(send).not.toHaveBeenCalled()
    await Promise.resolve()
    queue(fourth)
    await Promise.resolve()
    expect(send.mock.calls).toEqual([[[first, second, third]], [[fourth]]])
  })

  test('a message without company is sent at once, but never before a queued message', async () => {
    const send = vi.fn<(batch: object[]) => void>()
    const queue = createBatch(send, queueMicrotask)
    queue(first, true)
    expect(send.mock.calls).toEqual([[[first]]])
    queue(second)
    queue(third, true)
    expect(send).toHaveBeenCalledTimes(1)
    await Promise.resolve()
    expect(send.mock.calls).toEqual([[[first]], [[second, third]]])
  })

  test('a message that is queued during a flush is sent in the next batch', async () => {
    const batches: object[][] = []
    const queue = createBatch<object>((batch) => {
      batches.push(batch)
      if (batch.includes(first)) queue(second)
    }, queueMicrotask)
    queue(first)
    await vi.waitFor(() => expect(batches).toEqual([[first], [second]]), WITHIN_MS)
  })

  test('are sent one by one if the batch is too large', async () => {
    const batches: object[][] = []
    const queue = createBatch<object>((batch) => {
      if (batch.length > 1) throw new Error('Data cannot be cloned, out of memory.')
      batches.push(batch)
    }, queueMicrotask)
    for (const message of [first, second]) queue(message)
    await vi.waitFor(() => expect(batches).toEqual([[first], [second]]), WITHIN_MS)
  })

  test('B14: are sent although every object has a setter for array indices', async () => {
    const send = vi.fn<(batch: object[]) => void>()
    const queue = createBatch(send, queueMicrotask)
    Object.defineProperty(Object.prototype, '0', { set: () => {}, configurable: true })
    try {
      queue(first)
    } finally {
      Reflect.deleteProperty(Object.prototype, '0')
    }
    await Promise.resolve()
    expect(send.mock.calls).toEqual([[[first]]])
  })
})
