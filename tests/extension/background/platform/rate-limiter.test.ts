/** Tests the token bucket of each origin. */

import { describe, expect, test } from 'vitest'
import { createRateLimiter } from '../../../../extension/background/platform/rate-limiter.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'

const LIMIT = { burst: 3, perSecond: 2 }
const A = 'https://a.example'
const B = 'https://b.example'

function setUp() {
  const clock = { at: 1_000 }
  const take = createRateLimiter(LIMIT, () => clock.at)
  const tryTake = (origin: string) => {
    try {
      take(origin)
      return true
    } catch {
      return false
    }
  }
  return { clock, take, tryTake }
}

describe('B21: how often an origin may ask', () => {
  test('a burst passes, and a further call gets the time of the next attempt', () => {
    const { take, tryTake } = setUp()
    expect([tryTake(A), tryTake(A), tryTake(A)]).toEqual([true, true, true])
    expect(() => take(A)).toThrow(
      expect.objectContaining({
        code: ERROR_CODE.rateLimited,
        data: expect.objectContaining({ error: 'rate_limited', retryAfterSeconds: 1 }),
      }),
    )
  })

  test('the calls of one origin do not reduce the limit of another origin', () => {
    const { tryTake } = setUp()
    for (let i = 0; i < 10; i++) tryTake(A)
    expect(tryTake(B)).toBe(true)
  })

  test('the bucket refills with time, up to the burst', () => {
    const { clock, tryTake } = setUp()
    for (let i = 0; i < 5; i++) tryTake(A)
    clock.at += 500
    expect([tryTake(A), tryTake(A)]).toEqual([true, false])
    clock.at += 3_600_000
    expect([tryTake(A), tryTake(A), tryTake(A), tryTake(A)]).toEqual([true, true, true, false])
  })

  test('rejected calls take no token: an origin that keeps calling is not served later', () => {
    const { clock, tryTake } = setUp()
    for (let i = 0; i < 3; i++) tryTake(A)
    let served = 0
    for (let step = 0; step < 100; step++) {
      clock.at += 10
      if (tryTake(A)) served++
    }
    expect(served).toBe(2)
  })

  test('a clock that goes back neither adds nor removes tokens', () => {
    const { clock, tryTake } = setUp()
    for (let i = 0; i < 3; i++) tryTake(A)
    clock.at -= 60_000
    expect(tryTake(A)).toBe(false)
    clock.at += 500
    expect(tryTake(A)).toBe(true)
  })

  test('the number of buckets is bounded, and a limited origin stays limited', () => {
    const { tryTake } = setUp()
    for (let i = 0; i < 5; i++) tryTake(A)
    for (let i = 0; i < 5_000; i++) tryTake(`https://${i}.example`)
    expect(tryTake(A)).toBe(false)
  })
})
