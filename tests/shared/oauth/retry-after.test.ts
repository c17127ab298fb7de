/**
 * `Retry-After`: seconds or a date, and nothing else.
 *
 * Seen to fail when the date parser of the platform reads every value that is no number of digits.
 * @see RFC 9110 sections 5.6.7 and 10.2.3
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { retryAfter } from '../../../shared/oauth/retry-after.ts'
import { START } from '../support/closed-network.ts'

const DAY = 86_400

describe('Retry-After', () => {
  test.each<[string | null, number | undefined]>([
    ['0', 0],
    ['7', 7],
    [' 7 ', 7],
    ['007', 7],
    ['86401', DAY],
    ['9'.repeat(400), DAY],
    [null, undefined],
    ['', undefined],
    ['1.5', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['1,5', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['7 s', undefined],
    ['7, 8', undefined],
    ['soon', undefined],
    ['2026', 2026],
    ['2026-01-01', undefined],
    ['2026-01-01T00:01:00Z', undefined],
    ['Jan 1', undefined],
  ])('H14: the value %j is %j seconds', (header, seconds) => {
    expect(retryAfter(header, START)).toBe(seconds)
  })

  test.each([
    ['Thu, 01 Jan 2026 00:01:30 GMT', 90],
    ['Thursday, 01-Jan-26 00:01:30 GMT', 90],
    ['Thu Jan  1 00:01:30 2026', 90],
    ['Wed, 31 Dec 2025 23:59:30 GMT', 0],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
    ['Fri, 01 Jan 2027 00:00:00 GMT', DAY],
  ])('H14: the date %j is in %j seconds, in each of the three forms', (header, seconds) => {
    expect(retryAfter(header, START)).toBe(seconds)
  })

  test.each([
    'Thu, 01 Jan 2026 00:01:30',
    'Thu, 01 Jan 2026 00:01:30 CET',
    'Thu, 1 Jan 2026 00:01:30 GMT',
    'Thu, 31 Apr 2026 00:01:30 GMT',
    'Thu, 00 Jan 2026 00:01:30 GMT',
    'Thu, 01 Jan 2026 25:00:00 GMT',
    '01 Jan 2026 00:01:30 GMT',
    'Thu Jan 01 2026 00:01:30 GMT+0100',
  ])('H14: %j is no date of HTTP', (header) => {
    expect(retryAfter(header, START)).toBeUndefined()
  })

  test('H14: any date that the platform prints is read, and any text gives seconds within a day or none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: DAY }), (seconds) => {
        const date = new Date(START + seconds * 1000).toUTCString()
        expect(retryAfter(date, START)).toBe(seconds)
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String)), (text) => {
        const seconds = retryAfter(text, START) ?? 0
        expect(seconds).toBeGreaterThanOrEqual(0)
        expect(seconds).toBeLessThanOrEqual(DAY)
      }),
    )
  })
})
