/**
 * Tests that the tasks of a queue run one after the other, also after a failed task.
 *
 * Seen to fail when a failed task ends the queue, and when all keys share one queue.
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
