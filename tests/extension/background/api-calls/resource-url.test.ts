/**
 * Tests the URL of a call: it is matched by whole path segments, and only a path that every server reads in
 * the same way is accepted.
 *
 * Seen to fail:
 * - with the list of forbidden escapes that was there before (`%c0%ae`, `%u002e`, `%%32%65`, `..%20` and the
 *   other rows of A11g passed), also the property;
 * - the property, without the comparison of folded paths in `findApiOfUrl`: a server without regard to case
 *   finds another API.
 */

import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { findApiOfUrl } from '../../../../extension/background/api-calls/call-target.ts'
import { isUnder, parseCallUrl } from '../../../../extension/background/api-calls/resource-url.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

const ORIGIN = 'https://api.example'
const RESOURCE = `${ORIGIN}/3gpp-as-session-with-qos/v1`

function isInResource(url: string, resource = RESOURCE): boolean {
  try {
    return isUnder(parseCallUrl(url, 'url'), resource)
  } catch {
    return false
  }
}

describe('B19: a URL is canonicalized, then matched by whole path segments', () => {
  const table: [url: string, expected: boolean][] = [
    [RESOURCE, true],
    [`${RESOURCE}/`, true],
    [`${RESOURCE}/app/subscriptions?x=1`, true],
    [`${RESOURCE}/a/../b`, true],
    [`https://api.example:443/3gpp-as-session-with-qos/v1/x`, true],
    [`${RESOURCE}0/x`, false],
    [`${RESOURCE}.evil/x`, false],
    [`${RESOURCE}/../other`, false],
    [`${RESOURCE}/%2e%2e/other`, false],
    [`${RESOURCE}/..%2fother`, false],
    [`${RESOURCE}/..%5cother`, false],
    [`${RESOURCE}/%252e%252e/other`, false],
    [`${RESOURCE}/..;/other`, false],
    [`${RESOURCE}/a/.;x=1/../other`, false],
    [`${RESOURCE}/%2e%2e%3b/other`, false],
    [`${RESOURCE}/a%0d%0aX-Header:1`, false],
    [`${RESOURCE}/a;v=1/b`, true],
    [`${RESOURCE}/caf%C3%A9`, true],
    [`${RESOURCE}\\..\\..\\other`, false],
    [`https://api.example//3gpp-as-session-with-qos/v1/x`, false],
    ['https://api.example.evil/3gpp-as-session-with-qos/v1/x', false],
    ['https://api.example@evil/3gpp-as-session-with-qos/v1/x', false],
    ['https://user:word@api.example/3gpp-as-session-with-qos/v1/x', false],
    ['http://api.example/3gpp-as-session-with-qos/v1/x', false],
    ['https://api.example:8443/3gpp-as-session-with-qos/v1/x', false],
    ['//api.example/3gpp-as-session-with-qos/v1/x', false],
    ['file:///3gpp-as-session-with-qos/v1/x', false],
    [`${RESOURCE}/x#fragment`, false],
  ]
  test.each(table)('%s', (url, expected) => {
    expect(isInResource(url)).toBe(expected)
  })

  test('a resource without a path covers its origin and no other', () => {
    expect(isInResource('https://api.example/x', 'https://api.example')).toBe(true)
    expect(isInResource('https://api.example/x', 'https://api.example/')).toBe(true)
    expect(isInResource('https://api.example.evil/x', 'https://api.example/')).toBe(false)
  })
})

/** Paths that a server may read in another way than the broker. */
const AMBIGUOUS: [kind: string, ...paths: string[]][] = [
  [
    'an overlong form of UTF-8',
    '%c0%ae%c0%ae',
    '%C0%AE%C0%AE',
    '%E0%80%AE',
    '%C0%AF',
    '%F0%80%80%AE',
  ],
  ['bytes that are not UTF-8', '%FF', '%C3', '%80', 'a%C3b', '%ED%A0%80', '%F4%90%80%80'],
  ['an escape that is none', '%u002e%u002e', '%U002E', '%', '%%32%65', '%2', '%zz', 'a%2'],
  ['an escape of an escape', '%252e%252e', '%2525', '%25'],
  [
    'an escape of a character that needs none',
    'a%2eb',
    'a%2Eb',
    '%61dmin',
    '%7Eme',
    'v%2D1',
    '%5F',
  ],
  ['small hex digits', 'caf%c3%a9', 'a%3ab', 'a%3aB'],
  ['an escaped separator', 'a%2Fb', 'a%2fb', 'a%5Cb', 'a%5cb', 'a%3Bb', '..%2F', '..%5C'],
  ['a control character', '%00', 'a%00', 'a%0A', 'a%0D%0Ab', '%7F', '%C2%85', '%C2%80'],
  ['dots with white space', '..%20', '.%20', '..%09', '%20..', '..%C2%A0', '..%E3%80%80'],
  ['white space at an end', 'admin%20', '%20admin', 'admin%E2%80%89'],
  ['dots with path parameters', '..;', '..;x=1', '.;', '..%3B', ';', ';x', '..;%20'],
  ['dots alone', '...', '....', '...;x'],
  [
    'dots of full width',
    '%EF%BC%8E%EF%BC%8E',
    '．．',
    '%E2%80%A5',
    '%E2%80%A4.',
    '。。',
    '%EF%BD%A1',
  ],
  [
    'separators of full width',
    'a%EF%BC%8Fb',
    'a／b',
    'a%EF%BC%BCb',
    'a＼b',
    '%EF%BC%85%32%65',
    'a；b',
  ],
  [
    'characters that become separators',
    'a%E2%81%84b',
    'a%E2%88%95b',
    'a%E2%88%96b',
    '℀',
    'a\u037eb',
  ],
  ['dots with invisible characters', '..%E2%80%8B', '.%C2%AD.', '%E2%81%A0..', '%E2%80%8B'],
]

describe('A11g: a path that servers read differently is an error', () => {
  test.each(AMBIGUOUS)('%s', (_, ...paths) => {
    for (const path of paths) {
      for (const url of [
        `${RESOURCE}/${path}`,
        `${RESOURCE}/${path}/x`,
        `${RESOURCE}/x/${path}/y`,
      ]) {
        expect.soft(() => parseCallUrl(url, 'url'), url).toThrow(/^url: expected a path without/)
      }
    }
  })

  test.each([
    'app/subscriptions/4711',
    'caf%C3%A9',
    'café',
    'a%20b',
    'a b',
    'tel%3A%2B15551234567',
    'a:b@c',
    'John%20Jr.',
    'v1.2',
    '.well-known',
    '..a',
    'a;v=1',
    'a;v=1;w=2',
    '%E6%97%A5%E6%9C%AC',
    '%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB',
    '%D9%85%DB%8C%E2%80%8C%D8%AE',
    encodeURIComponent('what? #1 "&"'),
    "a'b(c)!*",
    '1%C2%BD',
    '',
    '?a=%2e%2e/%00',
  ])('%j is accepted', (path) => {
    expect(isInResource(`${RESOURCE}/${path}`)).toBe(true)
  })

  test('the message names the parameter', () => {
    expect(() => parseCallUrl(`${RESOURCE}/%00`, 'htu')).toThrow(/^htu: expected/)
  })
})

describe('A11g: an API below another', () => {
  const apis = [`${ORIGIN}/v1`, `${ORIGIN}/v1/admin`].map((resource) => ({
    resource,
    name: resource,
    scopes: [{ scope: 'x' }],
  }))
  const found = (path: string) =>
    findApiOfUrl(apis, parseCallUrl(`${ORIGIN}${path}`, 'url'))?.resource

  test.each([
    ['/v1/x', `${ORIGIN}/v1`],
    ['/v1/administrators', `${ORIGIN}/v1`],
    ['/v1/admin/x', `${ORIGIN}/v1/admin`],
    ['/v1/Admin/x', undefined],
    ['/v1/admin./x', undefined],
    ['/v1/admin;v=1/x', undefined],
    ['/v1/admin%3Fx/y', undefined],
    ['/v1/%EF%BD%81dmin/x', undefined],
    ['/v1/a%C2%ADdmin', undefined],
    ['/V1/x', undefined],
  ])('%s', (path, resource) => {
    expect(found(path)).toBe(resource)
  })

  /** Decodes as servers do that are less exact than the standards. */
  const decoders: ((path: string) => string)[] = [
    (path) => path,
    (path) =>
      path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    (path) =>
      path.replace(/%u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    // Overlong forms: the payload bits of two bytes, without a check.
    (path) =>
      path.replace(/%c([01])%([89ab][0-9a-f])/gi, (_, high, low) =>
        String.fromCharCode((Number(high) << 6) | (Number.parseInt(low, 16) & 0x3f)),
      ),
    (path) => {
      try {
        return decodeURIComponent(path)
      } catch {
        return path
      }
    },
  ]
  const readers: ((path: string) => string)[] = [
    (path) => path.normalize('NFKC'),
    (path) => path.toLowerCase(),
    (path) => path.replaceAll('\\', '/'),
    (path) => path.replace(/;[^/]*/g, ''),
    (path) => path.replace(/\0.*/, ''),
    (path) => path.replace(/\p{Default_Ignorable_Code_Point}/gu, ''),
    (path) => path.replace(/(?<=[^/.\s])[.\s]+(?=\/|$)/g, '').replace(/[^\S/]+(?=\/|$)/g, ''),
  ]
  function resolve(path: string): string {
    const resolved: string[] = []
    for (const segment of path.split('/')) {
      if (segment === '..') resolved.pop()
      else if (segment !== '.' && segment !== '') resolved.push(segment)
    }
    return `/${resolved.join('/')}/`
  }

  const piece = fc.constantFrom(
    ...[
      '.',
      '..',
      '/',
      'admin',
      'Admin',
      'x',
      ';',
      ';v=1',
      ' ',
      '\\',
      '%',
      '%25',
      '%2e',
      '%2E',
      '%2f',
    ],
    ...[
      '%5c',
      '%5C',
      '%3b',
      '%00',
      '%20',
      '%c0%ae',
      '%C0%AF',
      '%u002e',
      '%u002f',
      '%%32%65',
      '%61',
    ],
    ...[
      '．',
      '／',
      '‥',
      '\u200b',
      '%E2%80%8B',
      '%EF%BC%8E',
      '%EF%BC%8F',
      '%C3%A9',
      '%AD',
      '\u00ad',
    ],
  )

  test('whatever a server decodes: a URL of the one API never reaches the other, or leaves it', () => {
    const pipeline = fc.tuple(
      fc.array(fc.nat(decoders.length - 1), { maxLength: 2 }),
      fc.array(fc.nat(readers.length - 1), { maxLength: 3 }),
    )
    let accepted = 0
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), pipeline, (pieces, [decode, read]) => {
        let path: string
        let api: string | undefined
        try {
          path = parseCallUrl(`${ORIGIN}/v1/${pieces.join('')}`, 'url').pathname
          api = found(path)
        } catch {
          return
        }
        if (api !== `${ORIGIN}/v1`) return
        accepted += 1
        for (const index of decode) path = decoders[index]?.(path) ?? path
        for (const index of read) path = readers[index]?.(path) ?? path
        const seen = resolve(path)
        expect(seen.toLowerCase()).toMatch(/^\/v1\//)
        expect(seen).not.toMatch(/^\/v1\/admin\//)
      }),
      { numRuns: 20_000 },
    )
    expect(accepted).toBeGreaterThan(500)
  })
})
