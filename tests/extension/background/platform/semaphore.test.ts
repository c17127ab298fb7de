/**
 * Tests the counting semaphore: the permits of each key and of all keys, the queues and their limits.
 *
 * Seen to fail when `hasRoom` does not compare with the limit of the key or with the total, when `wait` does
 * not count what waits, when a released permit starts no waiter, and when a key stays before the others.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createSemaphore,
  type Release,
} from '../../../../extension/background/platform/semaphore.ts'

const LIMITS = { perKey: 2, total: 3, waitingPerKey: 2, waitingTotal: 3 }
const never = new AbortController().signal

/** Lets every promise that is ready settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('a semaphore', () => {
  test('A11f: a key has at most its permits, and the next waits until one is given back', async () => {
    const { acquire } = createSemaphore(LIMITS)
    const [first] = await Promise.all([acquire('a', never), acquire('a', never)])
    const order: string[] = []
    const third = acquire('a', never).then((release) => {
      order.push('third')
      return release
    })
    void acquire('a', never).then(() => order.push('fourth'))
    await settle()
    expect(order).toEqual([])
    first?.()
    first?.()
    await settle()
    expect(order).toEqual(['third'])
    ;(await third)()
    await settle()
    expect(order).toEqual(['third', 'fourth'])
  })

  test('A11f: a full queue is the error rate_limited, of one key or of all', async () => {
    const { acquire } = createSemaphore(LIMITS)
    const full = { code: 4290, data: { error: 'rate_limited', retryAfterSeconds: 1 } }
    await Promise.all([acquire('a', never), acquire('a', never)])
    void acquire('a', never)
    void acquire('a', never)
    await expect(acquire('a', never)).rejects.toMatchObject(full)
    await acquire('b', never)
    void acquire('b', never)
    await expect(acquire('b', never)).rejects.toMatchObject(full)
  })

  test('the keys take turns', async () => {
    const { acquire } = createSemaphore({ perKey: 1, total: 1, waitingPerKey: 9, waitingTotal: 9 })
    const order: string[] = []
    const releases: Release[] = []
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) {
      void acquire(name.charAt(0), never).then((release) => {
        order.push(name)
        releases.push(release)
      })
    }
    for (let i = 0; i < 5; i++) {
      await settle()
      releases.shift()?.()
    }
    expect(order).toEqual(['a1', 'a2', 'b1', 'a3', 'b2'])
  })

  test('several permits at once are all free, or none is taken', () => {
    const { tryAcquire } = createSemaphore({ ...LIMITS, perKey: 10, total: 15 })
    const release = tryAcquire('a', 8)
    expect(tryAcquire('a', 3)).toBeUndefined()
    expect(tryAcquire('b', 8)).toBeUndefined()
    release?.()
    expect(tryAcquire('b', 8)).toBeDefined()
  })

  test('whatever happens: no limit is exceeded, and what has not given up gets its permit in turn', async () => {
    const action = fc.record({
      kind: fc.constantFrom('acquire', 'acquire', 'release', 'abort'),
      key: fc.constantFrom('a', 'b', 'c'),
      which: fc.nat(5),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const { acquire } = createSemaphore(LIMITS)
        const held: { key: string; release: Release }[] = []
        const waiting: { key: string; number: number; controller: AbortController }[] = []
        const served: Record<string, number[]> = { a: [], b: [], c: [] }
        let number = 0
        const check = async () => {
          await settle()
          expect(held.length).toBeLessThanOrEqual(LIMITS.total)
          expect(waiting.length).toBeLessThanOrEqual(LIMITS.waitingTotal)
          for (const key of ['a', 'b', 'c']) {
            const ofKey = ({ key: other }: { key: string }) => other === key
            expect(held.filter(ofKey).length).toBeLessThanOrEqual(LIMITS.perKey)
            expect(waiting.filter(ofKey).length).toBeLessThanOrEqual(LIMITS.waitingPerKey)
          }
        }
        for (const { kind, key, which } of actions) {
          if (kind === 'acquire') {
            const request = { key, number: ++number, controller: new AbortController() }
            waiting.push(request)
            const forget = () => waiting.splice(waiting.indexOf(request), 1)
            acquire(key, request.controller.signal).then((release) => {
              forget()
              served[key]?.push(request.number)
              held.push({ key, release })
            }, forget)
          } else if (kind === 'release') held.splice(which % (held.length || 1), 1)[0]?.release()
          else waiting[which % (waiting.length || 1)]?.controller.abort()
          await check()
        }
        while (held.length > 0) {
          held.shift()?.release()
          await check()
        }
        expect(waiting).toEqual([])
        for (const numbers of Object.values(served)) {
          expect(numbers).toEqual([...numbers].sort((first, second) => first - second))
        }
      }),
      { numRuns: 200 },
    )
  })
})
