import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joinKey } from '../../shared/messages/join-key.ts'

const TOKEN = 'northbound_getAccessToken'

const params = fc.record(
  {
    grantId: fc.string(),
    resource: fc.string(),
    scope: fc.string(),
    interactive: fc.constant('never'),
    minValiditySeconds: fc.nat(),
  },
  { requiredKeys: [] },
)

describe('calls that ask the same are joined in the page', () => {
  test('equal parameters make equal keys, in whatever order they stand', () => {
    fc.assert(
      fc.property(params, (given) => {
        const turned = Object.fromEntries(Object.entries(given).reverse())
        expect(joinKey(TOKEN, turned)).toBe(joinKey(TOKEN, given))
      }),
    )
  })

  test('different parameters make different keys', () => {
    const plain = fc.record(
      {
        grantId: fc.uuid(),
        scope: fc.stringMatching(/^[a-z #:-]{1,9}$/),
        minValiditySeconds: fc.nat(9),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(plain, plain, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other))
        expect(joinKey(TOKEN, one)).not.toBe(joinKey(TOKEN, other))
      }),
    )
  })

  test('a number is no string, and one method is not the other', () => {
    expect(joinKey(TOKEN, { grantId: '1' })).not.toBe(joinKey(TOKEN, { grantId: 1 }))
    expect(joinKey('northbound_getGrants', undefined)).not.toBe(
      joinKey('broker_getInfo', undefined),
    )
  })

  test.each([
    ['northbound_fetch', { url: 'https://api.example/v1' }],
    ['northbound_connect', { issuer: 'https://as.example' }],
    ['northbound_createProof', { grantId: '1' }],
    ['northbound_revoke', {}],
    ['constructor', undefined],
    [`${TOKEN}\ngrantId\nstring\nx_getInfo`, undefined],
    [TOKEN, { interactive: 'ifNeeded' }],
    [TOKEN, { grantId: ['1'] }],
    [TOKEN, null],
    [TOKEN, []],
    [TOKEN, new Date(0)],
    [TOKEN, () => {}],
  ])('%s %j is asked by itself', (method, given) => {
    expect(joinKey(method, given)).toBeUndefined()
  })
})
