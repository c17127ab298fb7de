/**
 * What is said in one turn goes together.
 *
 * Seen to fail when: each message goes alone, and what is said while others are sent is lost.
 */

import { describe, expect, test, vi } from 'vitest'
import { together } from '../../shared/messages/together.ts'

describe('messages of one turn', () => {
  test('go together, in their order, when it is over', async () => {
    const send = vi.fn<(list: number[]) => void>()
    const say = together(send)
    for (const one of [1, 2, 3]) say(one)
    expect(send).not.toHaveBeenCalled()
    await Promise.resolve()
    say(4)
    await Promise.resolve()
    expect(send.mock.calls).toEqual([[[1, 2, 3]], [[4]]])
  })

  test('what is said while the others are sent goes next', async () => {
    const lists: number[][] = []
    const say = together<number>((list) => {
      lists.push(list)
      if (list.includes(1)) say(2)
    })
    say(1)
    await vi.waitFor(() => expect(lists).toEqual([[1], [2]]))
  })
})
