/** Texts for every error of PAGE-API section 4. */

import { describe, expect, test } from 'vitest'
import { ERROR_TEXTS, errorText } from '../../demo-site/app/model/error-texts.ts'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'

const codes = Object.entries(ERROR_CODE)

describe('PAGE-API section 4: every error has a text', () => {
  test.each(codes)('%s (%i) has a title, an explanation and a next step', (_name, code) => {
    const { title, explanation, nextStep } = errorText(code, { error: 'whatever' })
    for (const text of [title, explanation, nextStep]) expect(text).toMatch(/^[A-Z].{11,}$/)
  })

  test('the table has a row for each code and for nothing else', () => {
    const known = Object.keys(ERROR_TEXTS).map(Number)
    expect(known.sort()).toEqual(codes.map(([, code]) => code).sort())
  })

  test('no two codes have the same title', () => {
    const titles = codes.map(([, code]) => errorText(code).title)
    expect(new Set(titles).size).toBe(titles.length)
  })

  test.each([
    [4210, 'login_required', /sign in/],
    [4210, 'consent_required', /consent/],
    [4220, 'insufficient_user_authentication', /sign/],
    [4300, 'issuer_mismatch', /another server/],
    [4310, 'invalid_grant', /expired/],
    [4310, 'invalid_client', /not registered/],
    [4901, 'timeout', /too long/],
  ])('%i %s has a text of its own', (code, error, words) => {
    const special = errorText(code, { error })
    expect(special.explanation).toMatch(words)
    expect(special.explanation).not.toBe(errorText(code, { error: 'other' }).explanation)
  })

  test('RFC 6585 section 4: a 429 with Retry-After says how long to wait', () => {
    const text = errorText(4290, { error: 'rate_limited', retryAfterSeconds: 12 })
    expect(text.nextStep).toBe('Wait 12 seconds, then try again.')
    expect(errorText(4290, { error: 'rate_limited', retryAfterSeconds: 1 }).nextStep).toContain(
      '1 second,',
    )
  })

  test('a word that is a member of Object.prototype has no text', () => {
    expect(errorText(4300, { error: 'constructor' })).toEqual(errorText(4300))
  })

  test('a code outside the convention has a text too', () => {
    expect(errorText(1).action).toBe('reload')
  })
})
