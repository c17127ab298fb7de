/** Scopes, security negotiation and notifications of CAPIF. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  aefOffersPkce,
  beginAuthorization,
  type CapifScope,
  capifDiscoveryQuery,
  capifScopeAllows,
  formatCapifScope,
  grantedApis,
  parseCapifScope,
  parseSecurityNotification,
  readServiceSecurity,
  type ServerConfig,
} from '../../../shared/core/index.ts'
import { closedNetwork } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import { ISSUER, METADATA, request } from '../support/fixtures.ts'

const API_ROOT = 'https://ccf.example/root'
const { token_endpoint: _, ...PUBLISHED } = METADATA

const server = (capif: ServerConfig['capif'] = {}): ServerConfig => ({
  issuer: ISSUER,
  profile: 'capif',
  capif: { apiRoot: API_ROOT, ...capif },
})

describe('the scope grammar (TS 29.222 V17.4.0 table 8.5.4.2.6-1)', () => {
  test.each([
    ['no prefix', 'aef-a:api'],
    ['another prefix', '4gpp#aef-a:api'],
    ['no AEF', '3gpp#'],
    ['no API', '3gpp#aef-a'],
    ['an empty API', '3gpp#aef-a:'],
    ['an empty AEF', '3gpp#:api'],
    ['an empty API in a list', '3gpp#aef-a:api,,b'],
    ['a semicolon at the end', '3gpp#aef-a:api;'],
    ['a second colon', '3gpp#aef-a:api:b'],
    ['a second number sign', '3gpp#aef-a:api#b'],
    ['another word first', 'openid 3gpp#aef-a:api'],
    ['a control character', '3gpp#aef-a:api\n'],
  ])('rejects %s', async (_what, scope) => {
    expect((await failure(() => parseCapifScope(scope))).code).toBe('invalid_params')
  })

  const name = fc.stringMatching(/^[a-z0-9.-]{1,12}$/)
  const scope = fc.record({
    aefs: fc.uniqueArray(
      fc.record({ aefId: name, apiNames: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }) }),
      { minLength: 1, maxLength: 4, selector: ({ aefId }) => aefId },
    ),
    others: fc.uniqueArray(fc.stringMatching(/^[a-z:]{1,9}$/), { maxLength: 3 }),
  })

  test('parses what it formats, and formats what it parses', () => {
    fc.assert(
      fc.property(scope, (value: CapifScope) => {
        const text = formatCapifScope(value)
        expect(parseCapifScope(text)).toEqual(value)
        expect(formatCapifScope(parseCapifScope(text))).toBe(text)
      }),
    )
  })

  test('joins the APIs of one AEF, since a scope has room for one 3gpp word', async () => {
    const { authorizationUrl } = await beginAuthorization(
      request({
        server: server(),
        metadata: PUBLISHED,
        apis: [
          { resource: 'https://a.example', scope: '3gpp#aef-a:one' },
          { resource: 'https://b.example', scope: '3gpp#aef-b:two;aef-a:three,one fine:grained' },
        ],
      }),
      closedNetwork(),
    )
    expect(new URL(authorizationUrl).searchParams.get('scope')).toBe(
      '3gpp#aef-a:one,three;aef-b:two fine:grained',
    )
  })

  test.each([
    [{ aefs: [], others: [] }],
    [{ aefs: [{ aefId: 'a', apiNames: [] }], others: [] }],
    [{ aefs: [{ aefId: 'a b', apiNames: ['c'] }], others: [] }],
    [{ aefs: [{ aefId: 'a', apiNames: ['b;c'] }], others: [] }],
  ])('does not format %j', async (value) => {
    expect((await failure(() => formatCapifScope(value))).code).toBe('invalid_params')
  })

  test('returns the granted APIs by AEF and API name', () => {
    const granted = '3gpp#aef-a:one,two;aef-b:three'
    expect(capifScopeAllows(granted, 'aef-a', 'two')).toBe(true)
    expect(capifScopeAllows(granted, 'aef-b', 'two')).toBe(false)
    const requestedApis = [
      { resource: 'https://a.example', scope: '3gpp#aef-a:one,four' },
      { resource: 'https://b.example', scope: '3gpp#aef-b:five' },
    ]
    expect(grantedApis(server(), requestedApis, granted)).toEqual([
      { resource: 'https://a.example', scope: '3gpp#aef-a:one' },
    ])
    expect(grantedApis(server(), requestedApis, 'unknown')).toEqual([])
  })
})

describe('security negotiation (TS 29.222 clauses 8.1 and 8.5)', () => {
  const info = { aefId: 'a', prefSecurityMethods: ['OAUTH'], selSecurityMethod: 'OAUTH' }

  test('accepts the code grant with PKCE by the names of V18.4 and of V18.5 and later', () => {
    const answer = (entry: object) => ({ securityInfo: [{ ...info, ...entry }] })
    readServiceSecurity(answer({ grantType: ['AUTHORIZATION_CODE_WITH_PKCE'] }))
    readServiceSecurity(
      answer({ grantType: ['CLIENT_CREDENTIALS', 'AUTHORIZATION_CODE_WITH_PKCE'] }),
    )
    readServiceSecurity(answer({ authorizationFlow: ['AUTHORIZATION_CODE_FLOW_WITH_PKCE'] }))
  })

  test.each([
    [
      'another method',
      { selSecurityMethod: 'PKI', grantType: ['AUTHORIZATION_CODE_WITH_PKCE'] },
      'unsupported_by_server',
    ],
    ['the code grant without PKCE', { grantType: ['AUTHORIZATION_CODE'] }, 'pkce_unsupported'],
    [
      'the flow without PKCE of V18.4',
      { authorizationFlow: ['AUTHORIZATION_CODE_FLOW'] },
      'pkce_unsupported',
    ],
    ['no grant type', {}, 'pkce_unsupported'],
    ['a value of a later release', { grantType: ['SOMETHING_NEW'] }, 'pkce_unsupported'],
  ])('rejects %s', async (_what, entry, code) => {
    const answer = { securityInfo: [{ ...info, ...entry }] }
    expect((await failure(() => readServiceSecurity(answer))).code).toBe(code)
  })

  test('rejects a response in which one of several APIs lacks PKCE, and a malformed response', async () => {
    const good = { ...info, grantType: ['AUTHORIZATION_CODE_WITH_PKCE'] }
    const mixed = { securityInfo: [good, { ...info, grantType: ['CLIENT_CREDENTIALS'] }] }
    expect((await failure(() => readServiceSecurity(mixed))).code).toBe('pkce_unsupported')
    for (const answer of [undefined, {}, { securityInfo: [] }, { securityInfo: [null] }]) {
      expect((await failure(() => readServiceSecurity(answer))).code).toBe('invalid_response')
    }
  })

  test('returns the WebSocket address of the notifications', () => {
    const securityInfo = [{ ...info, grantType: ['AUTHORIZATION_CODE_WITH_PKCE'] }]
    const websockNotifConfig = { websocketUri: 'wss://ccf.example/ws/1' }
    expect(readServiceSecurity({ securityInfo, websockNotifConfig })).toEqual({
      websocketUri: 'wss://ccf.example/ws/1',
    })
  })

  test('the grant types of an interface override those of its AEF profile (V19.1)', () => {
    const pkce = { grantTypes: ['AUTHORIZATION_CODE_WITH_PKCE'] }
    const clientCredentials = { grantTypes: ['CLIENT_CREDENTIALS'] }
    expect(aefOffersPkce(pkce)).toBe(true)
    expect(aefOffersPkce({ ...clientCredentials, interfaceDescriptions: [pkce] })).toBe(true)
    expect(aefOffersPkce({ ...pkce, interfaceDescriptions: [clientCredentials] })).toBe(false)
    expect(aefOffersPkce({ ...pkce, interfaceDescriptions: [{}] })).toBe(true)
  })

  test('the discovery query has its grant types as a JSON list', () => {
    expect(capifDiscoveryQuery('INV-7f3a').toString()).toBe(
      'api-invoker-id=INV-7f3a&grant-types=%5B%22AUTHORIZATION_CODE_WITH_PKCE%22%5D',
    )
  })
})

describe('a SecurityNotification (TS 29.222 clause 8.5.4.2.5)', () => {
  const notification = { apiInvokerId: 'INV', apiIds: ['a1'], cause: 'AUTHORIZATION_ISSUE' }

  test('is read with the token by the name of V19.4 and of V19.5', () => {
    expect(parseSecurityNotification(notification)).toEqual(notification)
    for (const name of ['access_token', 'accessToken']) {
      expect(parseSecurityNotification({ ...notification, [name]: 'jws' }).accessToken).toBe('jws')
    }
  })

  test.each([
    [null],
    [[]],
    [{}],
    [{ ...notification, apiIds: [] }],
    [{ ...notification, apiIds: [7] }],
    [{ ...notification, cause: '<b>' }],
    [{ ...notification, apiInvokerId: 7 }],
  ])('is rejected as %j', async (value) => {
    expect((await failure(() => parseSecurityNotification(value))).code).toBe('invalid_response')
  })
})
