/**
 * Contents of requests that the operator profile decides: `offline_access`, resource indicators, requests without
 * scope.
 *
 * Seen to fail when `offline_access` is part of each request (H02), when the resources of a request are named however
 * many they are (H04), and when a request needs a scope and what the server states beside it is dropped (H21).
 */

import { describe, expect, test } from 'vitest'
import {
  beginAuthorization,
  grantedApis,
  redeemCode,
  refreshTokens,
  type ServerConfig,
} from '../../../shared/core/index.ts'
import { closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  API,
  CLIENT_ID,
  METADATA,
  RESOURCE,
  redeemable,
  request,
  SERVER,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'

const OTHER = { resource: 'https://api.example/location/v1', scope: 'location' }
const PURPOSE = 'dpv:ServiceProvision'

async function parametersOf(
  server: ServerConfig,
  apis: { resource: string; scope?: string; purpose?: string }[],
  scopesSupported?: string[],
): Promise<URLSearchParams> {
  const metadata = {
    ...METADATA,
    ...(scopesSupported && { scopes_supported: scopesSupported }),
  }
  const begun = await beginAuthorization(request({ server, metadata, apis }), closedNetwork())
  return new URL(begun.authorizationUrl).searchParams
}

describe('H02: offline_access (OpenID Connect Core section 11)', () => {
  const listed = ['openid', 'qos', 'offline_access']
  const when_offered = { offlineAccess: 'when_offered' } as const
  test.each([
    ['oauth', {}, undefined, false],
    ['oauth', {}, listed, false],
    ['oauth', { offlineAccess: 'never' } as const, listed, false],
    ['oauth', when_offered, undefined, false],
    ['oauth', when_offered, ['openid', 'qos'], false],
    ['oauth', when_offered, listed, true],
    ['camara', {}, ['openid', 'qos'], false],
    ['camara', {}, listed, true],
    ['camara', { offlineAccess: 'never' } as const, listed, false],
    ['capif', when_offered, listed, false],
  ] as const)(
    'of %s with %j, metadata with the scopes %j: asked %j',
    async (profile, member, scopes, asked) => {
      const scope = profile === 'capif' ? '3gpp#aef:qos' : 'qos'
      const purpose = profile === 'camara' && { purpose: PURPOSE }
      const server = { ...SERVER, profile, ...member }
      const api = { resource: RESOURCE, scope, ...purpose }
      const parameters = await parametersOf(server, [api], scopes && [...scopes])
      expect(parameters.get('scope')?.split(' ').includes('offline_access')).toBe(asked)
    },
  )

  test('a refresh token that comes without it is kept (RFC 6749 section 5.1)', async () => {
    const network = closedNetwork().on(
      TOKEN_ENDPOINT,
      json({ ...TOKEN_RESPONSE, refresh_token: 'r' }),
    )
    const flow = await redeemable(network)
    expect(flow.scope).toBe('qos')
    expect((await redeemCode(flow, network)).refreshToken).toBe('r')
  })
})

describe('H04: resource indicators (RFC 8707 sections 2.1 and 2.2)', () => {
  const one = [RESOURCE]
  const both = [RESOURCE, OTHER.resource]
  test.each([
    ['oauth', undefined, one, []],
    ['oauth', 'when_one', one, []],
    ['oauth', 'always', one, both],
    ['oauth', 'never', [], []],
    ['capif', undefined, [], []],
    ['camara', undefined, [], []],
    ['camara', 'when_one', one, []],
  ] as const)(
    'of %s with %j: %j for one resource, and %j for two, in both requests',
    async (profile, member, ofOne, ofTwo) => {
      const server: ServerConfig = {
        ...SERVER,
        profile,
        ...(member && { resourceIndicators: member }),
      }
      const toScope = (name: string) => (profile === 'capif' ? `3gpp#aef:${name}` : name)
      const apis = both.map((resource, index) => ({
        resource,
        scope: toScope(['qos', 'location'][index] ?? ''),
        ...(profile === 'camara' && { purpose: PURPOSE }),
      }))
      for (const [asked, expected] of [
        [apis.slice(0, 1), ofOne],
        [apis, ofTwo],
      ] as const) {
        expect((await parametersOf(server, [...asked])).getAll('resource')).toEqual(expected)
        const network = closedNetwork().on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
        const flow = await redeemable(network, { server, apis: asked })
        // A response of CAMARA lacks its ID token here: this test is about the request.
        const tokens = await redeemCode(flow, network).catch(() => undefined)
        expect(network.sent[0]?.form.getAll('resource')).toEqual(expected.slice(0, 1))
        if (tokens) expect(tokens.resource).toBe(expected[0])
      }
    },
  )

  test('two scopes of one resource are one resource', async () => {
    const twice = [API, { ...API, scope: 'qos:write' }]
    expect((await parametersOf(SERVER, twice)).getAll('resource')).toEqual([RESOURCE])
  })

  test.each([
    ['when_one', RESOURCE],
    ['never', null],
  ] as const)('a refresh with %s names the resource %j', async (resourceIndicators, named) => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
    const server = { ...SERVER, resourceIndicators }
    await refreshTokens(
      {
        server,
        metadata: METADATA,
        clientId: CLIENT_ID,
        refreshToken: 'r',
        resource: RESOURCE,
      },
      network,
    )
    expect(network.sent[0]?.form.get('resource')).toBe(named)
  })
})

describe('H21: a request without scope (RFC 6749 section 3.3)', () => {
  const scopeless = { resource: RESOURCE }

  test('has no parameter scope, and the scopes of the other APIs only', async () => {
    expect((await parametersOf(SERVER, [scopeless])).has('scope')).toBe(false)
    expect((await parametersOf(SERVER, [scopeless, OTHER])).get('scope')).toBe('location')
    const server = { ...SERVER, openid: 'required' as const }
    expect((await parametersOf(server, [scopeless])).get('scope')).toBe('openid')
  })

  test.each([
    ['qos qos:write', 'qos qos:write'],
    [undefined, ''],
    ['', ''],
  ])('is granted %j as %j', async (stated, granted) => {
    const { scope: _, ...silent } = TOKEN_RESPONSE
    const response = json(stated === undefined ? silent : { ...silent, scope: stated })
    const network = closedNetwork().on(TOKEN_ENDPOINT, response)
    const { scope } = await redeemCode(await redeemable(network, { apis: [scopeless] }), network)
    expect(grantedApis(SERVER, [scopeless], scope)).toEqual([{ ...scopeless, scope: granted }])
  })

  test('beside a request with scope is granted what no other API has asked for', () => {
    const stated = 'openid location qos offline_access'
    expect(grantedApis(SERVER, [scopeless, OTHER], stated)).toEqual([
      { ...scopeless, scope: 'qos' },
      OTHER,
    ])
    expect(grantedApis(SERVER, [scopeless, OTHER], 'qos')).toEqual([{ ...scopeless, scope: 'qos' }])
  })

  test.each(['capif', 'camara'] as const)(
    'is none of %s, whose rules need one',
    async (profile) => {
      const begin = parametersOf({ ...SERVER, profile }, [{ ...scopeless, purpose: PURPOSE }])
      expect((await failure(begin)).code).toBe('invalid_params')
    },
  )
})
