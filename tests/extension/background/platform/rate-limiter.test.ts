import { describe, expect, test } from 'vitest'
import { createRateLimiter } from '../../../../extension/background/platform/rate-limiter.ts'
import { ERROR_CODE } from '../../../../shared/messages/page-api.ts'

const LIMIT = { burst: 3, perSecond: 2 }
const A = 'https://a.example'
const B = 'https://b.example'

function setUp() {
  const clock = { at: 1_000 }
  const take = createRateLimiter(LIMIT, () => clock.at)
  const takes = (origin: string) => {
    try {
      take(origin)
      return true
    } catch {
      return false
    }
  }
  return { clock, take, takes }
}

describe('B21: how often an origin may ask', () => {
  test('a burst passes, what goes beyond is told when to ask again', () => {
    const { take, takes } = setUp()
    expect([takes(A), takes(A), takes(A)]).toEqual([true, true, true])
    expect(() => take(A)).toThrow(
      expect.objectContaining({
        code: ERROR_CODE.rateLimited,
        data: expect.objectContaining({ error: 'rate_limited', retryAfterSeconds: 1 }),
      }),
    )
  })

  test('one origin does not use up what another may ask', () => {
    const { takes } = setUp()
    for (let i = 0; i < 10; i++) takes(A)
    expect(takes(B)).toBe(true)
  })

  test('it fills again with time, and never beyond the burst', () => {
    const { clock, takes } = setUp()
    for (let i = 0; i < 5; i++) takes(A)
    clock.at += 500
    expect([takes(A), takes(A)]).toEqual([true, false])
    clock.at += 3_600_000
    expect([takes(A), takes(A), takes(A), takes(A)]).toEqual([true, true, true, false])
  })

  test('refused calls cost nothing: who goes on asking is served as soon as who waits', () => {
    const { clock, takes } = setUp()
    for (let i = 0; i < 3; i++) takes(A)
    let served = 0
    for (let step = 0; step < 100; step++) {
      clock.at += 10
      if (takes(A)) served++
    }
    expect(served).toBe(2)
  })

  test('a clock that goes back gives nothing and takes nothing', () => {
    const { clock, takes } = setUp()
    for (let i = 0; i < 3; i++) takes(A)
    clock.at -= 60_000
    expect(takes(A)).toBe(false)
    clock.at += 500
    expect(takes(A)).toBe(true)
  })

  test('origins without number do not fill the memory, and who is limited stays so', () => {
    const { takes } = setUp()
    for (let i = 0; i < 5; i++) takes(A)
    for (let i = 0; i < 5_000; i++) takes(`https://${i}.example`)
    expect(takes(A)).toBe(false)
  })
})
