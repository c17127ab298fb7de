/**
 * Tests the rules for the use of a stored token: freshness, slot, scope.
 *
 * Seen to fail when `isFresh` does not check `obtainedAtMs` (C03, the clock set back), and when it has no
 * margin. F02: with a margin of 30 s for every lifetime, and when a superseded token is listed for each of its slots or
 * without an end.
 */

import { describe, expect, test } from 'vitest'
import {
  exceedsScope,
  getTokenSlot,
  isFresh,
  type StoredToken,
  supersede,
} from '../../../../extension/background/grants/stored-token.ts'
import { REPLACED_TOKEN_LIFETIME_MS } from '../../../../extension/limits.ts'
import { UNSTATED_EXPIRY_MS } from '../../../../shared/core/index.ts'

const OBTAINED = 1_800_000_000_000
const SECOND = 1_000
const HOUR = 3_600 * SECOND

const token: StoredToken = {
  accessToken: 'a',
  tokenType: 'Bearer',
  obtainedAtMs: OBTAINED,
  expiresAtMs: OBTAINED + 600 * SECOND,
  scope: 'x',
  singleUse: false,
}

describe('a token of ten minutes', () => {
  const table: [title: string, sinceMs: number, more: Partial<StoredToken>, fresh: boolean][] = [
    ['at its receipt', 0, {}, true],
    ['a millisecond before the margin', 570 * SECOND - 1, {}, true],
    ['at the margin', 570 * SECOND, {}, false],
    ['at its end', 600 * SECOND, {}, false],
    ['for one call, a millisecond before its end', 600 * SECOND - 1, { singleUse: true }, true],
    ['for one call, at its end', 600 * SECOND, { singleUse: true }, false],
    ['after a night of suspend', 9 * HOUR, {}, false],
    ['with the clock set forward by an hour', HOUR, {}, false],
    ['with the clock set back by a second', -SECOND, {}, true],
    ['with the clock set back by the margin', -30 * SECOND, {}, true],
    ['with the clock set back beyond the margin', -30 * SECOND - 1, {}, false],
    ['with the clock set back by an hour', -HOUR, {}, false],
    ['for one call, with the clock set back by an hour', -HOUR, { singleUse: true }, false],
  ]
  test.each(table)('C03: %s', (_title, sinceMs, more, fresh) => {
    expect(isFresh({ ...token, ...more }, 0, OBTAINED + sinceMs)).toBe(fresh)
  })

  test('C03: a page may request a validity that is longer than the margin', () => {
    const at = OBTAINED + 300 * SECOND
    expect(isFresh(token, 299 * SECOND, at)).toBe(true)
    expect(isFresh(token, 300 * SECOND, at)).toBe(false)
    // A requested validity below the margin does not reduce the margin.
    expect(isFresh(token, 1, OBTAINED + 570 * SECOND)).toBe(false)
  })
})

describe('F02: the margin of a token with a short lifetime is a quarter of it', () => {
  const table: [lifetimeSeconds: number, sinceMs: number, fresh: boolean][] = [
    [1, 0, true],
    [1, 749, true],
    [1, 750, false],
    [10, 7_499, true],
    [10, 7_500, false],
    [30, 0, true],
    [30, 22_499, true],
    [30, 22_500, false],
    [60, 44_999, true],
    [60, 45_000, false],
    [120, 89_999, true],
    [120, 90_000, false],
    [121, 90_999, true],
    [121, 91_000, false],
    [30, -7_500, true],
    [30, -7_501, false],
  ]
  test.each(table)('F02: of %i s, %i ms after its receipt: fresh %s', (seconds, since, fresh) => {
    const short = { ...token, expiresAtMs: OBTAINED + seconds * SECOND }
    expect(isFresh(short, 0, OBTAINED + since)).toBe(fresh)
  })
})

describe('superseded tokens', () => {
  const bound: StoredToken = { ...token, tokenType: 'DPoP' }
  const list = (...replaced: StoredToken[]) => supersede({ keyId: 'k' }, replaced, OBTAINED)

  test('F02: a token that serves several APIs is listed once', () => {
    expect(list(bound, bound)).toEqual([
      { accessToken: 'a', expiresAtMs: bound.expiresAtMs, keyId: 'k' },
    ])
  })

  test('F02: a token without a stated life is listed for some time', () => {
    expect(list({ ...bound, expiresAtMs: UNSTATED_EXPIRY_MS })).toEqual([
      { accessToken: 'a', expiresAtMs: OBTAINED + REPLACED_TOKEN_LIFETIME_MS, keyId: 'k' },
    ])
  })

  test('F02: bearer tokens and tokens for one call are not listed', () => {
    expect(list(token, { ...bound, singleUse: true })).toEqual([])
  })
})

describe('the scope of a token', () => {
  const api = { resource: 'https://api.example/v1', scope: 'read write' }
  const otherApi = { resource: 'https://other.example/v1', scope: 'locate' }

  test.each([
    ['read write', 'https://api.example/v1'],
    ['write read', 'https://api.example/v1'],
    ['read', 'https://api.example/v1 read'],
  ])('C02: the token for "%s" is in slot "%s"', (scope, slot) => {
    expect(getTokenSlot(api, scope)).toBe(slot)
  })

  test.each([
    ['read', 'read', false],
    ['openid read', 'read', false],
    ['read write', 'write read', false],
    ['read write', 'read', true],
    ['read locate', 'read', true],
  ])('C02: a token for "%s" exceeds the requested scope "%s": %s', (has, wanted, more) => {
    expect(exceedsScope(has, wanted, [api, otherApi])).toBe(more)
  })
})
