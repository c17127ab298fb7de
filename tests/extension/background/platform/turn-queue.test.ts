/**
 * Tests turn queues: keys take turns, and no task waits longer than its limit.
 *
 * Seen to fail when all tasks share one queue (the order), when the timer is not cleared or the task stays in the
 * queue after its limit, and when `exclusive` is not read.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTurnQueue } from '../../../../extension/background/platform/turn-queue.ts'

const MAX_WAIT_MS = 1_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp(exclusive: boolean) {
  const queue = createTurnQueue({
    exclusive,
    maxWaitMs: MAX_WAIT_MS,
    createTimeoutError: () => new Error('waited too long'),
  })
  const started: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  const add = (key: string, name: string) => {
    const outcome = queue(key, () => {
      started.push(name)
      return new Promise<string>((resolve, reject) => {
        ends.set(name, (error) => (error ? reject(error) : resolve(name)))
      })
    }).catch((error: Error) => error.message)
    return outcome
  }
  const end = async (name: string, error?: Error) => {
    ends.get(name)?.(error)
    await vi.advanceTimersByTimeAsync(0)
  }
  return { add, end, started }
}

test('one task runs at a time, and the keys take turns', async () => {
  const { add, end, started } = setUp(true)
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1']) add(name.charAt(0), name)
  expect(started).toEqual(['a1'])
  for (const name of ['a1', 'a2', 'b1', 'c1']) await end(name)
  expect(started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3'])
})

test('a key that is not exclusive waits for its own tasks only', async () => {
  const { add, end, started } = setUp(false)
  for (const name of ['a1', 'a2', 'b1']) add(name.charAt(0), name)
  expect(started).toEqual(['a1', 'b1'])
  await end('a1', new Error('broken'))
  expect(started).toEqual(['a1', 'b1', 'a2'])
})

test('a failed task fails alone', async () => {
  const { add, end } = setUp(true)
  const [first, second] = [add('a', 'a1'), add('b', 'b1')]
  await end('a1', new Error('broken'))
  await end('b1')
  expect(await Promise.all([first, second])).toEqual(['broken', 'b1'])
})

test('a task that has no turn within the limit leaves the queue, and never starts', async () => {
  const { add, end, started } = setUp(true)
  const first = add('a', 'a1')
  const second = add('b', 'b1')
  await vi.advanceTimersByTimeAsync(MAX_WAIT_MS - 1)
  const third = add('b', 'b2')
  await vi.advanceTimersByTimeAsync(1)
  expect(await second).toBe('waited too long')
  await end('a1')
  // A task that runs has no limit here.
  await vi.advanceTimersByTimeAsync(2 * MAX_WAIT_MS)
  await end('b2')
  expect(await Promise.all([first, third])).toEqual(['a1', 'b2'])
  expect(started).toEqual(['a1', 'b2'])
})
