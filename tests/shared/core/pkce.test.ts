/** PKCE pairs and random values. */

import { expect, test } from 'vitest'
import {
  type CodeVerifier,
  codeChallengeOf,
  createPkcePair,
  randomValue,
} from '../../../shared/core/index.ts'

test('P01: the challenge of RFC 7636 appendix B is exact and has no padding', async () => {
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' as CodeVerifier
  expect(await codeChallengeOf(verifier)).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
})

test('P01: the challenge of a pair is that of its verifier (RFC 7636 section 4.2)', async () => {
  for (let round = 0; round < 50; round++) {
    const { codeVerifier, codeChallenge } = await createPkcePair()
    expect(codeChallenge).toBe(await codeChallengeOf(codeVerifier))
    expect(codeChallenge).toMatch(/^[A-Za-z0-9_-]{43}$/)
  }
})

/** Chi-square statistic of the first 42 symbols against a uniform distribution. The 43rd has four bits only. */
function chiSquare(samples: readonly string[]): number {
  const counts = new Map<string, number>()
  for (const sample of samples) {
    for (const symbol of sample.slice(0, 42)) counts.set(symbol, (counts.get(symbol) ?? 0) + 1)
  }
  expect(counts.size).toBe(64)
  const expected = (samples.length * 42) / 64
  return [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

/** With 63 degrees of freedom, one run in a hundred million exceeds this by chance. */
const CHI_SQUARE_LIMIT = 160
const GRAMMAR = /^[A-Za-z0-9\-._~]{43,128}$/

test('P02: verifiers follow the grammar, differ, and use every symbol equally (RFC 7636 section 4.1)', async () => {
  const pairs = await Promise.all(Array.from({ length: 5000 }, createPkcePair))
  const verifiers = pairs.map(({ codeVerifier }) => codeVerifier)
  expect(verifiers.every((verifier) => GRAMMAR.test(verifier))).toBe(true)
  expect(new Set(verifiers).size).toBe(verifiers.length)
  expect(chiSquare(verifiers)).toBeLessThan(CHI_SQUARE_LIMIT)
})

test('P02: 100,000 values for verifier, state and nonce follow the grammar, differ, and use every symbol equally', () => {
  const values = Array.from({ length: 100_000 }, randomValue)
  expect(values.every((value) => GRAMMAR.test(value))).toBe(true)
  expect(new Set(values).size).toBe(values.length)
  expect(chiSquare(values)).toBeLessThan(CHI_SQUARE_LIMIT)
})

test('P03: without a CSPRNG no pair is created (RFC 7636 section 7.1)', async () => {
  const original = Object.getOwnPropertyDescriptor(globalThis, 'crypto')
  Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true })
  try {
    await expect(createPkcePair()).rejects.toThrow()
    expect(() => randomValue()).toThrow()
  } finally {
    // In a worker the property is on the prototype.
    if (original === undefined) Reflect.deleteProperty(globalThis, 'crypto')
    else Object.defineProperty(globalThis, 'crypto', original)
  }
})
