/**
 * Tests the memory of revoked tokens, which a core fills with any text.
 *
 * Seen to fail without the limit of the number, and without that of the length.
 */

import { expect, test } from 'vitest'
import {
  findRevocationCause,
  MAX_TOKEN_LENGTH,
  MAX_TOKENS,
  rememberRevokedToken,
} from '../../../../extension/background/grants/revoked-tokens.ts'
import { ISSUER } from '../../support/records.ts'

test('a token is found by its issuer alone, with the cause', () => {
  rememberRevokedToken(ISSUER, 'token', 'CAUSE')
  expect(findRevocationCause(ISSUER, ['other', 'token'])).toBe('CAUSE')
  expect(findRevocationCause('https://other.example', ['token'])).toBe(undefined)
})

test('a token that is longer than any header is not remembered', () => {
  const longest = 'x'.repeat(MAX_TOKEN_LENGTH)
  rememberRevokedToken(ISSUER, longest, 'CAUSE')
  rememberRevokedToken(ISSUER, `${longest}x`, 'CAUSE')
  expect(findRevocationCause(ISSUER, [longest])).toBe('CAUSE')
  expect(findRevocationCause(ISSUER, [`${longest}x`])).toBe(undefined)
})

test('the oldest token is forgotten beyond the limit', () => {
  for (let index = 0; index <= MAX_TOKENS; index++) {
    rememberRevokedToken(ISSUER, `token-${index}`, 'CAUSE')
  }
  expect(findRevocationCause(ISSUER, ['token-0'])).toBe(undefined)
  expect(findRevocationCause(ISSUER, ['token-1'])).toBe('CAUSE')
})
