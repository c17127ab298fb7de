/** The published examples of PKCE and base64url. */

import { expect, test } from 'vitest'
import { type CodeVerifier, codeChallengeOf } from '../../shared/core/index.ts'
import { base64url, fromBase64url } from '../../shared/oauth/base64url.ts'

/** The octets of the example in RFC 7636 appendix B. */
const RANDOM = [
  116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
  214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
]
/** The hash of the example. */
const DIGEST = [
  19, 211, 30, 150, 26, 26, 216, 236, 47, 22, 177, 12, 76, 152, 46, 8, 118, 168, 120, 173, 109, 241,
  68, 86, 110, 225, 137, 74, 203, 112, 249, 195,
]
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

test('RFC 7636 appendix B: the octets give the verifier, and its hash gives the challenge', async () => {
  expect(base64url(Uint8Array.from(RANDOM))).toBe(VERIFIER)
  expect(base64url(Uint8Array.from(DIGEST))).toBe(CHALLENGE)
  expect(await codeChallengeOf(VERIFIER as CodeVerifier)).toBe(CHALLENGE)
  expect([...(fromBase64url(VERIFIER) ?? [])]).toEqual(RANDOM)
})

test('RFC 7636 appendix A, RFC 7515 appendix C: base64url without padding', () => {
  expect(base64url(Uint8Array.of(3, 236, 255, 224, 193))).toBe('A-z_4ME')
  expect([...(fromBase64url('A-z_4ME') ?? [])]).toEqual([3, 236, 255, 224, 193])
})

test.each([
  ['', ''],
  ['f', 'Zg'],
  ['fo', 'Zm8'],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg'],
  ['fooba', 'Zm9vYmE'],
  ['foobar', 'Zm9vYmFy'],
])('RFC 4648 section 10: "%s" is encoded as "%s", and decoded again', (text, encoded) => {
  const bytes = new TextEncoder().encode(text)
  expect(base64url(bytes)).toBe(encoded)
  expect(fromBase64url(encoded)).toEqual(bytes)
})

test('long input is encoded like short input', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 31) & 255)
  expect(fromBase64url(base64url(bytes))).toEqual(bytes)
})

test.each(['A', 'Zg==', 'Z+8', 'Z/8', 'Zm 9v', 'Zm9v\n', 'ä'])('"%s" is not base64url', (text) => {
  expect(fromBase64url(text)).toBeUndefined()
})
