/**
 * Tests how long a response may be used again.
 *
 * Seen to fail when `no-store` is not looked for, when `Age` is not subtracted, and when a second `max-age` is ignored.
 *
 * @see RFC 9111 sections 4.2 and 5.2.2
 */

import { describe, expect, test } from 'vitest'
import { computeFreshnessMs } from '../../../../extension/background/operators/http-freshness.ts'

const DATE = 'Mon, 30 Nov 2026 12:00:00 GMT'

describe('W01: the freshness of a response (RFC 9111 section 4.2)', () => {
  test.each<[Record<string, string>, number]>([
    [{}, 0],
    [{ 'cache-control': 'max-age=60' }, 60],
    [{ 'cache-control': 'public, Max-Age=60' }, 60],
    [{ 'cache-control': 'private, max-age="60"' }, 60],
    [{ 'cache-control': 'max-age = 60' }, 60],
    [{ 'cache-control': 's-maxage=60' }, 0],
    [{ 'cache-control': 'max-age=60', age: '20' }, 40],
    [{ 'cache-control': 'max-age=60', age: '90' }, 0],
    [{ 'cache-control': 'max-age=60', age: 'old' }, 60],
    [{ 'cache-control': 'max-age=0' }, 0],
    [{ 'cache-control': 'max-age=-1' }, 0],
    [{ 'cache-control': 'max-age=soon' }, 0],
    [{ 'cache-control': 'max-age' }, 0],
    [{ 'cache-control': 'max-age=60, max-age=600' }, 0],
    [{ 'cache-control': 'max-age=60, no-store' }, 0],
    [{ 'cache-control': 'NO-CACHE, max-age=60' }, 0],
    [{ 'cache-control': 'no-cache="set-cookie", max-age=60' }, 0],
    [{ 'cache-control': 'max-age=60', vary: 'accept, *' }, 0],
    [{ 'cache-control': 'max-age=60', vary: 'accept-encoding' }, 60],
    [{ date: DATE, expires: 'Mon, 30 Nov 2026 12:01:00 GMT' }, 60],
    [{ date: DATE, expires: 'Mon, 30 Nov 2026 11:00:00 GMT' }, 0],
    [{ date: DATE, expires: '0' }, 0],
    [{ expires: 'Mon, 30 Nov 2026 12:01:00 GMT' }, 0],
    [{ date: DATE, expires: 'Mon, 30 Nov 2026 12:01:00 GMT', 'cache-control': 'max-age=5' }, 5],
  ])('with %j is %i s', (headers, seconds) => {
    expect(computeFreshnessMs(new Headers(headers))).toBe(1000 * seconds)
  })
})
