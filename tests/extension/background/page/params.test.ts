import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkParams, isProviderMethod } from '../../../../extension/background/page/params.ts'
import { ERROR_CODE, type ProviderMethod } from '../../../../shared/messages/page-api.ts'

const api = { resource: 'https://api.example/v1', scope: 'qos:create' }
const wish = { issuer: 'https://as.example', apis: [api] }

describe('what a page sends is checked before anything reads it', () => {
  const accepted: [ProviderMethod, unknown][] = [
    ['broker_getInfo', undefined],
    ['northbound_connect', wish],
    [
      'northbound_connect',
      { ...wish, mode: 'token', reason: 'x', apis: [{ ...api, purpose: 'dpv:Security' }] },
    ],
    ['northbound_getAccessToken', undefined],
    ['northbound_getAccessToken', { minValiditySeconds: 60, interactive: 'never' }],
    ['northbound_fetch', { url: 'https://api.example/v1/x', body: new ArrayBuffer(8) }],
    ['northbound_revoke', {}],
  ]
  test.each(accepted)('%s accepts %j', (method, params) => {
    expect(() => checkParams(method, params)).not.toThrow()
  })

  const refused: [ProviderMethod, unknown, parameter: string][] = [
    ['northbound_connect', undefined, 'params'],
    ['northbound_connect', 'x', 'params'],
    ['northbound_connect', {}, 'issuer'],
    ['northbound_connect', { ...wish, client_id: 'x' }, 'client_id'],
    ['northbound_connect', { ...wish, 'a\nb': 'x' }, 'params'],
    ['northbound_connect', { ...wish, issuer: 'no url' }, 'issuer'],
    ['northbound_connect', { ...wish, issuer: 7 }, 'issuer'],
    ['northbound_connect', { ...wish, reason: 'Free\u202e.com' }, 'reason'],
    ['northbound_connect', { ...wish, reason: 'one\ntwo' }, 'reason'],
    ['northbound_connect', { ...wish, apis: [] }, 'apis'],
    ['northbound_connect', { ...wish, apis: [{ resource: api.resource }] }, 'apis.scope'],
    ['northbound_connect', { ...wish, apis: [{ ...api, scope: 'a"b' }] }, 'apis.scope'],
    ['northbound_connect', { ...wish, apis: [{ ...api, scope: 'a  b' }] }, 'apis.scope'],
    ['northbound_connect', { ...wish, apis: [{ ...api, scope: 'a\nb' }] }, 'apis.scope'],
    [
      'northbound_connect',
      { ...wish, apis: [{ ...api, scope: 'x'.repeat(10_000) }] },
      'apis.scope',
    ],
    ['northbound_connect', { ...wish, apis: [{ ...api, purpose: 'sell it' }] }, 'apis.purpose'],
    ['northbound_connect', { ...wish, mode: 'both' }, 'mode'],
    ['northbound_getAccessToken', { minValiditySeconds: -1 }, 'minValiditySeconds'],
    ['northbound_fetch', { url: '/relative' }, 'url'],
    ['northbound_fetch', { url: 'https://a.example', headers: { 'a b': 'c' } }, 'headers'],
    ['northbound_fetch', { url: 'https://a.example', headers: { a: 'b\r\nc' } }, 'headers'],
    ['northbound_fetch', { url: 'https://a.example', body: 7 }, 'body'],
    ['northbound_createProof', { grantId: 'g', htm: 'get', htu: 'https://a.example' }, 'htm'],
    ['northbound_revoke', { grantId: '' }, 'grantId'],
  ]
  test.each(refused)('%s refuses %j and names the parameter', (method, params, parameter) => {
    expect(() => checkParams(method, params)).toThrow(
      expect.objectContaining({
        code: ERROR_CODE.invalidParams,
        message: expect.stringMatching(new RegExp(`^${parameter.replace('.', '\\.')}: `)),
      }),
    )
  })

  test.each([
    'redirect_uri',
    'response_type',
    'response_mode',
    'prompt',
    'code_challenge',
    'code_challenge_method',
    'state',
    'origin',
  ])('P07, P08, B06: a page cannot express %s', (name) => {
    expect(() => checkParams('northbound_connect', { ...wish, [name]: 'x' })).toThrow(
      expect.objectContaining({ code: ERROR_CODE.invalidParams }),
    )
  })

  test('B11: whatever a page sends, the answer is checked parameters or invalid_params', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (params) => {
        try {
          checkParams('northbound_connect', params)
        } catch (error) {
          expect(error).toMatchObject({ code: ERROR_CODE.invalidParams })
        }
      }),
    )
  })

  test('no value of a parameter is in a message', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (secret) => {
        try {
          checkParams('northbound_connect', { ...wish, issuer: `#${secret}`, apis: secret })
        } catch (error) {
          expect((error as Error).message).not.toContain(secret)
        }
      }),
    )
  })

  test('methods are known by their own names only', () => {
    expect(isProviderMethod('northbound_connect')).toBe(true)
    for (const name of ['constructor', '__proto__', 'toString', 'getConsentRequest', '']) {
      expect(isProviderMethod(name)).toBe(false)
    }
  })
})
