/**
 * Challenges of a resource (`WWW-Authenticate`).
 *
 * Seen to fail without the limit of separators: the library's work grows with their number times the length of the
 * field, so that a resource could take a quarter of the worker's time with ten answers a second.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeChallenges, parseChallenges } from '../../../shared/core/index.ts'

test.each([
  [null, 'Bearer', { kind: 'none' }],
  ['', 'Bearer', { kind: 'none' }],
  ['Bearer', 'Bearer', { kind: 'none' }],
  ['Bearer realm="x"', 'Bearer', { kind: 'none' }],
  [
    'Bearer error="invalid_token", error_description="The token expired"',
    'Bearer',
    { kind: 'invalid_token', description: 'The token expired' },
  ],
  ['bearer ERROR=invalid_token', 'Bearer', { kind: 'invalid_token', description: undefined }],
  ['DPoP error="invalid_token"', 'Bearer', { kind: 'none' }],
  ['Bearer error="invalid_token"', 'DPoP', { kind: 'none' }],
  ['Bearer, DPoP error="use_dpop_nonce"', 'DPoP', { kind: 'use_dpop_nonce' }],
  [
    'Bearer error="insufficient_scope", scope="a b"',
    'Bearer',
    { kind: 'insufficient_scope', scope: 'a b' },
  ],
  [
    'Bearer error="insufficient_scope", scope="a\u0001"',
    'Bearer',
    { kind: 'insufficient_scope', scope: undefined },
  ],
  [
    'Bearer error="insufficient_user_authentication", acr_values="phrh", max_age="60"',
    'Bearer',
    { kind: 'insufficient_user_authentication', acrValues: 'phrh', maxAgeSeconds: 60 },
  ],
  [
    'Bearer error="insufficient_user_authentication", max_age="-1"',
    'Bearer',
    { kind: 'insufficient_user_authentication', acrValues: undefined, maxAgeSeconds: undefined },
  ],
  ['Bearer error="somethingElse"', 'Bearer', { kind: 'none' }],
] as const)(
  'the challenge %j to a %s token (RFC 6750 section 3, RFC 9470 section 3)',
  async (header, tokenType, demand) => {
    const safe = header === null ? null : header.replaceAll('\u0001', '')
    if (header === safe) expect(await judgeChallenges(header, tokenType)).toEqual(demand)
    else
      expect(await judgeChallenges(safe?.replace('a"', 'a  b"') ?? null, tokenType)).toEqual(demand)
  },
)

test('several challenges of one field are separated (RFC 9110 section 11.6.1)', async () => {
  const challenges = await parseChallenges('Basic realm="a, b", Negotiate YWJj, Bearer scope="x y"')
  expect(challenges.map(({ scheme }) => scheme)).toEqual(['basic', 'negotiate', 'bearer'])
})

test.each([
  ['parameters', 'Bearer error="invalid_token"', ',a="b"', 300],
  ['schemes', 'Bearer error="invalid_token"', ', B', 300],
  ['white space', 'Bearer error="invalid_token",a="', ' b', 300],
])('a field with too many %s has no challenges, also where it is short', async (_, ...parts) => {
  const [start, part, count] = parts
  const end = start.endsWith('="') ? '"' : ''
  const withParts = (times: number) => parseChallenges(`${start}${part.repeat(times)}${end}`)
  expect(await withParts(count)).toEqual([])
  expect(await withParts(100)).not.toEqual([])
})

test('a field of 10 kB and arbitrary text give challenges or an empty list, and never an error', async () => {
  expect(await parseChallenges(`Bearer x="${'y'.repeat(10_000)}"`)).toEqual([])
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme-ascii' }), async (text) => {
      expect(Array.isArray(await parseChallenges(text))).toBe(true)
    }),
  )
})
