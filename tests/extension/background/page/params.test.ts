/**
 * Parameters of a page's call.
 *
 * Seen to fail when a login hint may have control characters and a client identifier any characters, which the core
 * rejects after the consent (H14).
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkParams, isProviderMethod } from '../../../../extension/background/page/params.ts'
import { beginAuthorization } from '../../../../shared/core/index.ts'
import { ERROR_CODE, type ProviderMethod } from '../../../../shared/messages/page-api.ts'

const api = { resource: 'https://api.example/v1', scope: 'qos:create' }
const proof = { grantId: 'g', htm: 'GET', htu: 'https://api.example/v1' }
const connectParams = { issuer: 'https://as.example', apis: [api] }

describe('the parameters of a page’s call are validated first', () => {
  const accepted: [ProviderMethod, unknown][] = [
    ['broker_getInfo', undefined],
    ['northbound_connect', connectParams],
    [
      'northbound_connect',
      { ...connectParams, mode: 'token', reason: 'x', apis: [{ ...api, purpose: 'dpv:Security' }] },
    ],
    ['northbound_connect', { ...connectParams, loginHint: 'zoë@mobile.example' }],
    ['northbound_connect', { ...connectParams, apis: [{ ...api, scope: 'x'.repeat(2048) }] }],
    ['northbound_createProof', { ...proof, nonce: 'n'.repeat(8192) }],
    ['northbound_connect', { ...connectParams, apis: [{ resource: api.resource }] }],
    ['northbound_connect', { ...connectParams, apis: [{ ...api, scope: '' }] }],
    ['northbound_getAccessToken', undefined],
    ['northbound_getAccessToken', { scope: '' }],
    ['northbound_getAccessToken', { minValiditySeconds: 60, interactive: 'never' }],
    ['northbound_fetch', { url: 'https://api.example/v1/x', body: new ArrayBuffer(8) }],
    ['northbound_revoke', {}],
  ]
  test.each(accepted)('%s accepts %j', (method, params) => {
    expect(() => checkParams(method, params)).not.toThrow()
  })

  const rejected: [ProviderMethod, unknown, parameter: string][] = [
    ['northbound_connect', undefined, 'params'],
    ['northbound_connect', 'x', 'params'],
    ['northbound_connect', {}, 'issuer'],
    ['northbound_connect', { ...connectParams, client_id: 'x' }, 'client_id'],
    ['northbound_connect', { ...connectParams, 'a\nb': 'x' }, 'params'],
    ['northbound_connect', { ...connectParams, issuer: 'no url' }, 'issuer'],
    ['northbound_connect', { ...connectParams, issuer: 7 }, 'issuer'],
    ['northbound_connect', { ...connectParams, reason: 'Free\u202e.com' }, 'reason'],
    ['northbound_connect', { ...connectParams, reason: 'one\ntwo' }, 'reason'],
    ['northbound_connect', { ...connectParams, reason: `a${'\u0338'.repeat(9)}` }, 'reason'],
    ['northbound_connect', { ...connectParams, reason: 'a\u200bb' }, 'reason'],
    ['northbound_connect', { ...connectParams, loginHint: 'a\r\nb' }, 'loginHint'],
    ['northbound_connect', { ...connectParams, loginHint: 'a\ud800' }, 'loginHint'],
    ['northbound_connect', { ...connectParams, loginHint: '' }, 'loginHint'],
    ['northbound_connect', { ...connectParams, clientId: 'spïel' }, 'clientId'],
    ['northbound_connect', { ...connectParams, clientId: 'a\nb' }, 'clientId'],
    ['northbound_createProof', { ...proof, nonce: 'a b' }, 'nonce'],
    ['northbound_createProof', { ...proof, nonce: 'n'.repeat(8193) }, 'nonce'],
    ['northbound_connect', { ...connectParams, apis: [] }, 'apis'],
    ['northbound_connect', { ...connectParams, apis: [{ ...api, scope: 7 }] }, 'apis.scope'],
    ['northbound_connect', { ...connectParams, apis: [{ ...api, scope: ' ' }] }, 'apis.scope'],
    ['northbound_connect', { ...connectParams, apis: [{ ...api, scope: 'a"b' }] }, 'apis.scope'],
    ['northbound_connect', { ...connectParams, apis: [{ ...api, scope: 'a  b' }] }, 'apis.scope'],
    ['northbound_connect', { ...connectParams, apis: [{ ...api, scope: 'a\nb' }] }, 'apis.scope'],
    [
      'northbound_connect',
      { ...connectParams, apis: [{ ...api, scope: 'x'.repeat(10_000) }] },
      'apis.scope',
    ],
    [
      'northbound_connect',
      { ...connectParams, apis: [{ ...api, purpose: 'sell it' }] },
      'apis.purpose',
    ],
    ['northbound_connect', { ...connectParams, mode: 'both' }, 'mode'],
    ['northbound_getAccessToken', { minValiditySeconds: -1 }, 'minValiditySeconds'],
    ['northbound_fetch', { url: '/relative' }, 'url'],
    ['northbound_fetch', { url: 'https://a.example', headers: { 'a b': 'c' } }, 'headers'],
    ['northbound_fetch', { url: 'https://a.example', headers: { a: 'b\r\nc' } }, 'headers'],
    ['northbound_fetch', { url: 'https://a.example', body: 7 }, 'body'],
    ['northbound_createProof', { grantId: 'g', htm: 'get', htu: 'https://a.example' }, 'htm'],
    ['northbound_revoke', { grantId: '' }, 'grantId'],
  ]
  test.each(rejected)('%s rejects %j and names the parameter', (method, params, parameter) => {
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
    expect(() => checkParams('northbound_connect', { ...connectParams, [name]: 'x' })).toThrow(
      expect.objectContaining({ code: ERROR_CODE.invalidParams }),
    )
  })

  test('H14: a login hint, client identifier and scope that pass here pass in the core', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
    )
    const server = { issuer: connectParams.issuer, profile: 'oauth' as const }
    const metadata = {
      issuer: connectParams.issuer,
      authorization_endpoint: 'https://as.example/authorize',
      code_challenge_methods_supported: ['S256'],
    }
    const effects = { fetch, now: () => 0 }
    await fc.assert(
      fc.asyncProperty(text, text, text, async (loginHint, clientId, scope) => {
        const params = { ...connectParams, loginHint, clientId, apis: [{ ...api, scope }] }
        try {
          checkParams('northbound_connect', params)
        } catch {
          return
        }
        const redirectUri = 'https://broker.example/as'
        // An empty scope stands for none.
        const apis = scope === '' ? [{ resource: api.resource }] : params.apis
        await beginAuthorization(
          { ...params, apis, server, metadata, redirectUri, deadlineMs: 1 },
          effects,
        )
      }),
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

  test('an error message contains no value of a parameter', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (secret) => {
        try {
          checkParams('northbound_connect', {
            ...connectParams,
            issuer: `#${secret}`,
            apis: secret,
          })
        } catch (error) {
          expect((error as Error).message).not.toContain(secret)
        }
      }),
    )
  })

  test('names that every object inherits are no methods', () => {
    expect(isProviderMethod('northbound_connect')).toBe(true)
    for (const name of ['constructor', '__proto__', 'toString', 'getConsentRequest', '']) {
      expect(isProviderMethod(name)).toBe(false)
    }
  })
})
