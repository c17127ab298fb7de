/** Redaction of credentials: no token reaches the developer view. */

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

  test('the value of a header is redacted by the header name', () => {
    expect(redactCredentials([['Authorization', 'Bearer opaque']])).toEqual([
      ['Authorization', WITHHELD],
    ])
    expect(redactCredentials([['etag', '"1"']])).toEqual([['etag', '"1"']])
  })

  test('RFC 7515 section 3.1: a compact JWS is redacted anywhere in a text', () => {
    const text = JSON.stringify(redactCredentials({ a: [`Bearer ${TOKEN}`, { b: TOKEN }] }))
    expect(text).not.toContain('eyJ')
  })

  test('property: a token anywhere in JSON is redacted', () => {
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

  test('other values stay unchanged', () => {
    const value = { status: 201, body: { self: 'https://a/b', list: [1, null, true, 'code'] } }
    expect(redactCredentials(value)).toEqual(value)
  })

  test('bytes are replaced by their number', () => {
    expect(redactCredentials({ body: new ArrayBuffer(7) })).toEqual({ body: '7 bytes' })
  })
})
