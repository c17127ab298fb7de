/** Nothing that authorizes anything comes into the developer's view. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redactCredentials, WITHHELD } from '../../demo-site/app/model/redact.ts'

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'

describe('redact', () => {
  test.each([
    'accessToken',
    'access_token',
    'refresh_token',
    'id_token',
    'code_verifier',
    'authorization',
    'Authorization',
    'DPoP',
    'authCode',
  ])('the member %s is withheld, whatever it holds', (name) => {
    expect(redactCredentials({ [name]: 'opaque' })).toEqual({ [name]: WITHHELD })
  })

  test('a pair of header name and value is withheld by its name', () => {
    expect(redactCredentials([['Authorization', 'Bearer opaque']])).toEqual([
      ['Authorization', WITHHELD],
    ])
    expect(redactCredentials([['etag', '"1"']])).toEqual([['etag', '"1"']])
  })

  test('RFC 7515 section 3.1: a compact JWS is withheld wherever it stands', () => {
    const text = JSON.stringify(redactCredentials({ a: [`Bearer ${TOKEN}`, { b: TOKEN }] }))
    expect(text).not.toContain('eyJ')
  })

  test('property: a token put anywhere into JSON never comes out', () => {
    const json = fc.jsonValue({ maxDepth: 4 })
    const path = fc.array(fc.oneof(fc.constant('list'), fc.string()), { maxLength: 5 })
    fc.assert(
      fc.property(json, path, fc.string(), (around, names, before) => {
        const inner: unknown = `${before} ${TOKEN}`
        const value = names.reduceRight<unknown>(
          (held, name) => (name === 'list' ? [around, held] : { around, [name]: held }),
          inner,
        )
        expect(JSON.stringify(redactCredentials(value)) ?? '').not.toContain(TOKEN)
      }),
    )
  })

  test('everything else is left as it is', () => {
    const value = { status: 201, body: { self: 'https://a/b', list: [1, null, true, 'code'] } }
    expect(redactCredentials(value)).toEqual(value)
  })

  test('bytes are counted, not shown', () => {
    expect(redactCredentials({ body: new ArrayBuffer(7) })).toEqual({ body: '7 bytes' })
  })
})
