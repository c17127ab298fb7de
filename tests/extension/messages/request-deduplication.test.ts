/** The deduplication key, and the decoding of requests that have one. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeRequest, deduplicationKey } from '../../../shared/messages/request-deduplication.ts'

const TOKEN = 'northbound_getAccessToken'
const keyOf = (method: string, params: unknown) => deduplicationKey(method, params, JSON.stringify)

/** Names that the key treats specially, or that are not own members. */
const RESERVED = ['interactive', 'constructor']

const anyParams = fc.record(
  {
    grantId: fc.string(),
    resource: fc.string(),
    scope: fc.string(),
    interactive: fc.constant('never'),
    minValiditySeconds: fc.nat(),
  },
  { requiredKeys: [], noNullPrototype: true },
)

describe('the deduplication key', () => {
  test('is equal for equal parameters, in any order of their names', () => {
    fc.assert(
      fc.property(anyParams, (params) => {
        const reversed = Object.fromEntries(Object.entries(params).reverse())
        expect(keyOf(TOKEN, reversed)).toBe(keyOf(TOKEN, params))
      }),
    )
  })

  test('differs for different parameters', () => {
    const plain = fc.record(
      {
        grantId: fc.uuid(),
        scope: fc.stringMatching(/^[a-z #:-]{1,9}$/),
        minValiditySeconds: fc.nat(9),
      },
      { requiredKeys: [], noNullPrototype: true },
    )
    fc.assert(
      fc.property(plain, plain, (left, right) => {
        fc.pre(JSON.stringify(left) !== JSON.stringify(right))
        expect(keyOf(TOKEN, left)).not.toBe(keyOf(TOKEN, right))
      }),
    )
  })

  test('differs for a number and a string, and for two methods', () => {
    expect(keyOf(TOKEN, { grantId: '1' })).not.toBe(keyOf(TOKEN, { grantId: 1 }))
    expect(keyOf('northbound_getGrants', {})).not.toBe(keyOf('broker_getInfo', {}))
  })

  test.each([
    ['northbound_fetch', { url: 'https://api.example/v1' }],
    ['northbound_connect', { issuer: 'https://as.example' }],
    ['northbound_createProof', { grantId: '1' }],
    ['northbound_revoke', {}],
    ['constructor', {}],
    [`${TOKEN}\n_getInfo`, {}],
    [`${TOKEN}{}_getInfo`, {}],
    [TOKEN, { interactive: 'ifNeeded' }],
    [TOKEN, { grantId: ['1'] }],
    [TOKEN, undefined],
    [TOKEN, null],
    [TOKEN, Object.create(null)],
    [TOKEN, []],
    [TOKEN, new Date(0)],
    [TOKEN, () => {}],
  ])('does not exist for %s with %j', (method, params) => {
    expect(keyOf(method, params)).toBeUndefined()
  })
})

describe('a request is decoded from its key', () => {
  test('with equal parameters, for any names and values', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('__proto__', 'toJSON', '{', '\n'),
    )
    const values = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
    )
    fc.assert(
      fc.property(
        fc.dictionary(
          names.filter((name) => !RESERVED.includes(name)),
          values,
          { noNullPrototype: true },
        ),
        (params) => {
          const key = keyOf(TOKEN, params) ?? ''
          const call = decodeRequest({ id: 1, method: TOKEN, key, params: undefined })
          expect(call).toEqual({ id: 1, method: TOKEN, key, params })
        },
      ),
    )
  })

  test('in a page that defines a toJSON and setters on every object', () => {
    Object.defineProperties(Object.prototype, {
      toJSON: { value: () => 'changed', configurable: true },
      grantId: { set: () => {}, configurable: true },
    })
    Object.defineProperty(String.prototype, 'toJSON', { value: () => 'x', configurable: true })
    let key: string | undefined
    try {
      key = keyOf(TOKEN, JSON.parse('{"grantId":"g","minValiditySeconds":1}'))
    } finally {
      Reflect.deleteProperty(Object.prototype, 'toJSON')
      Reflect.deleteProperty(Object.prototype, 'grantId')
      Reflect.deleteProperty(String.prototype, 'toJSON')
    }
    expect(key).toBe(`${TOKEN}{"grantId":"g","minValiditySeconds":1}`)
  })

  test.each([
    [`${TOKEN}{"grantId":`],
    [`${TOKEN}{}{}`],
    ['{}'],
    [TOKEN],
    [`${TOKEN}1`],
    ['northbound_getGrants{}'],
  ])('%j is no key of the method: it becomes the parameters, which no method accepts', (key) => {
    const request = { method: TOKEN, key, params: undefined }
    expect(decodeRequest(request)).toEqual({ ...request, key: undefined, params: key })
  })

  test.each([
    ['without a key', { method: TOKEN, params: undefined }],
    ['with an empty key', { method: TOKEN, key: '', params: undefined }],
  ])('a request %s is returned as it is', (_kind, request) => {
    expect(decodeRequest(request)).toBe(request)
  })

  test.each([{}, { grantId: 'other' }, null])(
    'the key beside the parameters %j is removed',
    (params) => {
      const request = { method: TOKEN, key: `${TOKEN}{}`, params }
      expect(decodeRequest(request)).toEqual({ ...request, key: undefined })
    },
  )
})
