/**
 * Tests that the tasks of a queue run one after the other, also after a failed task.
 *
 * Seen to fail when a failed task ends the queue, when two tasks run at once, when all keys share one queue, and
 * when the queue of a key is deleted while a task of it runs or waits.
 */

import { expect, test } from 'vitest'
import {
  createKeyedSerialQueue,
  createSerialQueue,
} from '../../../../extension/background/platform/serial-queue.ts'

/** Creates tasks that end when the test calls `end`, and the list of started tasks. */
function setUp() {
  const started: string[] = []
  const end = new Map<string, (error?: Error) => void>()
  const task = (name: string) => () => {
    started.push(name)
    return new Promise<string>((resolve, reject) => {
      end.set(name, (error) => (error ? reject(error) : resolve(name)))
    })
  }
  const turn = () => new Promise((resolve) => setTimeout(resolve))
  return { started, end, task, turn }
}

test('a task starts when the task before it has ended, also when that failed', async () => {
  const { started, end, task, turn } = setUp()
  const queue = createSerialQueue()
  const first = queue(task('first'))
  const second = queue(task('second'))
  await turn()
  expect(started).toEqual(['first'])
  end.get('first')?.(new Error('broken'))
  await expect(first).rejects.toThrow('broken')
  await turn()
  expect(started).toEqual(['first', 'second'])
  end.get('second')?.()
  expect(await second).toBe('second')
})

test('tasks wait for earlier tasks of the same key only', async () => {
  const { started, end, task, turn } = setUp()
  const queue = createKeyedSerialQueue()
  const tasks = [queue('a', task('a1')), queue('a', task('a2')), queue('b', task('b1'))]
  await turn()
  expect(started).toEqual(['a1', 'b1'])
  end.get('a1')?.()
  await turn()
  expect(started).toEqual(['a1', 'b1', 'a2'])
  end.get('a2')?.()
  end.get('b1')?.()
  expect(await Promise.all(tasks)).toEqual(['a1', 'a2', 'b1'])
})

test('a task that comes while another of its key runs waits, after earlier tasks have ended too', async () => {
  const { started, end, task, turn } = setUp()
  const queue = createKeyedSerialQueue()
  const tasks = [queue('a', task('first')), queue('a', task('second'))]
  await turn()
  end.get('first')?.()
  await turn()
  tasks.push(queue('a', task('third')))
  await turn()
  expect(started).toEqual(['first', 'second'])
  end.get('second')?.()
  await turn()
  end.get('third')?.()
  expect(await Promise.all(tasks)).toEqual(['first', 'second', 'third'])
})
