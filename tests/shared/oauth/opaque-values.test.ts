/**
 * Grammar of opaque values: each character that a specification allows, and no other.
 *
 * Seen to fail when a refresh token has the grammar of an access token, when a value has a limit of length, and when
 * a login hint is ASCII.
 */

import { describe, expect, test } from 'vitest'
import {
  isAccessToken,
  isAcrValues,
  isClientId,
  isCode,
  isDpopNonce,
  isLoginHint,
  isRefreshToken,
  isRequestUri,
} from '../../../shared/oauth/opaque-values.ts'

const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
const accepted = (isValid: (value: unknown) => boolean) =>
  ASCII.filter((character) => isValid(`a${character}b`)).join('')

const VISIBLE = ASCII.slice(0x21, 0x7f).join('')
/** `VSCHAR` of RFC 6749 appendix A. */
const VSCHAR = ` ${VISIBLE}`

describe('the characters of', () => {
  test.each([
    ['a client identifier (RFC 6749 appendix A.1)', isClientId, VSCHAR],
    ['a code (RFC 6749 appendix A.11)', isCode, VSCHAR],
    ['a refresh token (RFC 6749 appendix A.17)', isRefreshToken, VSCHAR],
    ['acr_values', isAcrValues, VSCHAR],
    ['an access token in a header (RFC 6750 section 2.1)', isAccessToken, VISIBLE],
    ['a request URI', isRequestUri, VISIBLE],
    ['a DPoP nonce (RFC 9449 section 8.1)', isDpopNonce, VISIBLE.replace(/["\\]/g, '')],
    ['a login hint (OpenID Connect Core section 3.1.2.1)', isLoginHint, VSCHAR],
  ])('H22: %s', (_name, isValid, characters) => {
    expect(accepted(isValid)).toBe(characters)
    for (const value of ['', undefined, null, 7, ['a']]) expect(isValid(value)).toBe(false)
  })

  test.each([
    ['a client identifier', isClientId],
    ['a code', isCode],
    ['a refresh token', isRefreshToken],
    ['an access token', isAccessToken],
    ['a request URI', isRequestUri],
  ])('H14: %s may fill a whole answer', (_name, isValid) => {
    expect(isValid('x'.repeat(256 * 1024))).toBe(true)
  })

  test.each([
    ['zoë@mobile.example', true],
    ['+34 666 666 666', true],
    ['山田太郎', true],
    ['علي', true],
    ['👩‍👩‍👧', true],
    ['a\r\nb', false],
    ['a\u0000', false],
    ['a\u0085', false],
    ['\ud800', false],
    ['x\udc00y', false],
  ])('H14: the login hint %j is accepted: %j', (hint, isAccepted) => {
    expect(isLoginHint(hint)).toBe(isAccepted)
  })
})
