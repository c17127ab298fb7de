/**
 * Registration of clients, client ID metadata documents, and revocation.
 *
 * Seen to fail when a refusal at the revocation endpoint is known by its body alone, and when a 408 is one (H10); when
 * a key is published without `kid`, and when an assertion has none (H23); when a registration has no scope, when 200 is
 * an error, and when a client that is rejected stays at the server (H07).
 */

import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  clientKeyId,
  fetchClientDocument,
  redeemCode,
  refreshTokens,
  registerClient,
  registrationScope,
  revokeToken,
  type ServerConfig,
} from '../../../shared/core/index.ts'
import type { OperatorApi, ProfileName } from '../../../shared/messages/operator-profile.ts'
import { type Answer, closedNetwork, json, START } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  API,
  CLIENT_ID,
  ISSUER,
  METADATA,
  REDIRECT_URI,
  redeemable,
  SERVER,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'

const REGISTER = `${ISSUER}/register`
const metadata = { ...METADATA, registration_endpoint: REGISTER }
const request = {
  server: SERVER,
  metadata,
  clientName: 'Cloud gaming',
  redirectUris: [REDIRECT_URI],
}

describe('dynamic registration (RFC 7591)', () => {
  const created = (body: object): Answer => json(body, { status: 201 })

  test('registers a public client for the code grant', async () => {
    const network = closedNetwork().on(REGISTER, created({ client_id: 'c1' }))
    expect(await registerClient(request, network)).toEqual({
      clientId: 'c1',
      redirectUris: [REDIRECT_URI],
      authentication: 'none',
    })
    expect(JSON.parse(network.sent[0]?.body ?? '')).toEqual({
      client_name: 'Cloud gaming',
      redirect_uris: [REDIRECT_URI],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      application_type: 'web',
    })
  })

  test('registers the public key for private_key_jwt, and DPoP if it is required', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
      'verify',
    ])
    const network = closedNetwork().on(REGISTER, created({ client_id: 'c1' }))
    const server = {
      ...SERVER,
      clientAuthentication: 'private_key_jwt' as const,
      dpop: 'required' as const,
    }
    await registerClient({ ...request, server, clientPublicKey: pair.publicKey }, network)
    const body = JSON.parse(network.sent[0]?.body ?? '')
    expect(body.dpop_bound_access_tokens).toBe(true)
    expect(body.token_endpoint_auth_signing_alg).toBe('ES256')
    expect(Object.keys(body.jwks.keys[0]).sort()).toEqual([
      ...['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    ])
    const without = await failure(registerClient({ ...request, server }, closedNetwork()))
    expect(without.code).toBe('invalid_params')
  })

  test('H23: the kid of the published key is in each assertion (OpenID Connect Core section 10.1)', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
      'verify',
    ])
    const server = { ...SERVER, clientAuthentication: 'private_key_jwt' as const }
    const network = closedNetwork().on(REGISTER, created({ client_id: 'c1' }))
    const { clientId, kid = '' } = await registerClient(
      { ...request, server, clientPublicKey: pair.publicKey },
      network,
    )
    const [published] = JSON.parse(network.sent[0]?.body ?? '').jwks.keys
    expect(published.kid).toBe(await calculateJwkThumbprint(published))
    expect([kid, await clientKeyId(pair.publicKey)]).toEqual([published.kid, published.kid])

    const clientKey = { privateKey: pair.privateKey, kid }
    const PAR = `${ISSUER}/par`
    const pushing = { ...metadata, pushed_authorization_request_endpoint: PAR }
    network
      .on(PAR, json({ request_uri: 'urn:1', expires_in: 60 }, { status: 201 }))
      .on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
      .on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
      .on(`${ISSUER}/revoke`, new Response(''))
    const flow = await redeemable(network, { server, metadata: pushing, clientId, clientKey })
    await redeemCode(flow, network, { clientKey })
    const client = { server, metadata: pushing, clientId, clientKey }
    await refreshTokens({ ...client, refreshToken: 'r' }, network)
    await revokeToken({ ...client, token: 'r', tokenTypeHint: 'refresh_token' }, network)
    const assertions = network.sent.slice(1).map(({ form }) => form.get('client_assertion') ?? '')
    expect(assertions).toHaveLength(4)
    for (const assertion of assertions) {
      expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'ES256', kid: published.kid })
    }
  })

  test.each([
    ['no client_id', {}],
    ['a client_id that is no string', { client_id: 7 }],
    ['another redirect URI', { client_id: 'c', redirect_uris: ['https://evil.example/'] }],
    [
      'another authentication',
      { client_id: 'c', token_endpoint_auth_method: 'client_secret_basic' },
    ],
  ])('rejects a response with %s (RFC 7591 section 3.2.1)', async (_what, body) => {
    const network = closedNetwork().on(REGISTER, created(body))
    expect((await failure(registerClient(request, network))).code).toBe('invalid_response')
  })

  describe('H07: the scope of a client (RFC 7591 section 2)', () => {
    const qos = { ...API, name: 'Quality', scopes: [{ scope: 'qos' }, { scope: 'qos:write' }] }
    const scopeless = { ...qos, scopes: [] }
    const purposes = ['dpv:X', 'dpv:Y']
    const listed = { ...metadata, scopes_supported: ['openid', 'offline_access'] }
    const cases: [ProfileName, Partial<ServerConfig>, OperatorApi[], string | undefined][] = [
      ['oauth', {}, [qos], 'qos qos:write'],
      [
        'oauth',
        { openid: 'required', offlineAccess: 'when_offered' },
        [qos],
        'openid qos qos:write offline_access',
      ],
      ['oauth', {}, [qos, scopeless], 'qos qos:write'],
      ['oauth', {}, [scopeless], undefined],
      ['capif', {}, [{ ...qos, scopes: [{ scope: '3gpp#aef:qos' }] }], undefined],
      ['camara', {}, [{ ...qos, purposes }], 'openid dpv:X dpv:Y qos qos:write offline_access'],
      ['camara', {}, [qos], undefined],
    ]
    test.each(cases)('of %s with %j and the APIs %j: %j', async (profile, members, apis, scope) => {
      const server = { ...SERVER, profile, ...members, apis }
      expect(registrationScope(server, listed)).toBe(scope)
      const network = closedNetwork().on(REGISTER, created({ client_id: 'c1' }))
      await registerClient({ ...request, server: SERVER, scope }, network)
      expect(JSON.parse(network.sent[0]?.body ?? '').scope).toBe(scope)
    })
  })

  test.each([
    ['invalid_client_metadata', 2],
    ['invalid_scope', 2],
    ['insufficient_scope', 2],
    ['invalid_redirect_uri', 1],
  ])('H07: after the error %s to a scope, %i registrations are sent', async (error, count) => {
    const network = closedNetwork()
      .on(REGISTER, json({ error }, { status: 400 }))
      .on(REGISTER, created({ client_id: 'c1' }))
    await registerClient({ ...request, scope: 'qos' }, network).catch(() => {})
    const scopes = network.sent.map(({ body }) => JSON.parse(body).scope)
    expect(scopes).toEqual(['qos', undefined].slice(0, count))
  })

  test('H07: takes a complete response with status 200', async () => {
    const network = closedNetwork().on(REGISTER, json({ client_id: 'c1' }))
    expect((await registerClient(request, network)).clientId).toBe('c1')
  })

  test('H07: a 200 with an error response is an error, with the word of the server', async () => {
    const network = closedNetwork().on(REGISTER, json({ error: 'invalid_client_metadata' }))
    expect((await failure(registerClient(request, network))).error).toBe('invalid_client_metadata')
  })

  describe('H07: a client that is rejected', () => {
    const foreign = { client_id: 'c1', token_endpoint_auth_method: 'client_secret_basic' }
    const uri = `${REGISTER}/c1`
    const handle = { registration_client_uri: uri, registration_access_token: 'handle' }

    test.each([
      ['with 204', () => new Response(null, { status: 204 })],
      ['with an error', () => json({ error: 'invalid_token' }, { status: 401 })],
    ])('is deleted at the server, which answers %s (RFC 7592 section 2.3)', async (_, answer) => {
      const network = closedNetwork()
        .on(REGISTER, created({ ...foreign, ...handle }))
        .on(uri, answer())
      const error = await failure(registerClient(request, network))
      expect(error.message).toContain('"token_endpoint_auth_method"')
      network.done()
      expect(network.sent[1]?.method).toBe('DELETE')
      expect(network.sent[1]?.headers.get('authorization')).toBe('Bearer handle')
    })

    test.each([
      ['at another origin', { ...handle, registration_client_uri: 'https://evil.example/c1' }],
      ['without a token', { registration_client_uri: uri }],
      ['with a token that is none', { ...handle, registration_access_token: 'a b' }],
      ['at no URL', { ...handle, registration_client_uri: 'c1' }],
    ])('is left where its configuration endpoint is %s', async (_, members) => {
      const network = closedNetwork().on(REGISTER, created({ ...foreign, ...members }))
      expect((await failure(registerClient(request, network))).code).toBe('invalid_response')
      expect(network.sent).toHaveLength(1)
    })
  })

  test('does not keep a secret that a server sends all the same', async () => {
    const body = { client_id: 'c1', client_secret: 'hidden', client_secret_expires_at: 0 }
    const client = await registerClient(request, closedNetwork().on(REGISTER, created(body)))
    expect(JSON.stringify(client)).not.toContain('hidden')
  })

  test("keeps the error of the server's error response", async () => {
    const body = { error: 'invalid_redirect_uri', error_description: 'host not allowed' }
    const network = closedNetwork().on(REGISTER, json(body, { status: 400 }))
    const error = await failure(registerClient(request, network))
    expect(error.error).toBe('invalid_redirect_uri')
    const none = await failure(registerClient({ ...request, metadata: METADATA }, closedNetwork()))
    expect(none.code).toBe('unsupported_by_server')
  })
})

describe('a client id metadata document', () => {
  const origin = 'https://games.example'
  const clientId = `${origin}/northbound/client.json`
  const document = { client_id: clientId, client_name: 'Games', redirect_uris: [REDIRECT_URI] }
  const request = { clientId, origin, redirectUri: REDIRECT_URI }

  test('makes its URL a client identifier of its own origin', async () => {
    const network = closedNetwork().on(clientId, json(document))
    expect(await fetchClientDocument(request, network)).toEqual({ clientId, clientName: 'Games' })
  })

  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['another port', { origin: 'https://games.example:8443' }],
    ['a sibling domain', { origin: 'https://www.games.example' }],
    ['no path', { clientId: `${origin}/` }],
    ['a query', { clientId: `${clientId}?x` }],
    ['a fragment', { clientId: `${clientId}#x` }],
    ['dot segments', { clientId: `${origin}/a/../client.json` }],
    ['user information', { clientId: 'https://u@games.example/client.json' }],
    [
      'plain http',
      { clientId: 'http://games.example/client.json', origin: 'http://games.example' },
    ],
  ])('is not requested with %s', async (_what, change) => {
    const network = closedNetwork()
    await failure(fetchClientDocument({ ...request, ...change }, network))
    expect(network.sent).toHaveLength(0)
  })

  test.each([
    ['another client_id', { client_id: `${origin}/other.json` }],
    ['no redirect URI of the broker', { redirect_uris: ['https://games.example/cb'] }],
    ['no redirect URIs', { redirect_uris: undefined }],
    ['a secret', { client_secret: 'x' }],
    ['an authentication by secret', { token_endpoint_auth_method: 'client_secret_post' }],
  ])('with %s is rejected', async (_what, change) => {
    const network = closedNetwork().on(clientId, json({ ...document, ...change }))
    expect((await failure(fetchClientDocument(request, network))).code).toBe('invalid_response')
  })
})

describe('revocation (RFC 7009)', () => {
  const REVOKE = `${ISSUER}/revoke`
  const token = {
    server: SERVER,
    metadata: METADATA,
    clientId: CLIENT_ID,
    token: 'secret-token',
    tokenTypeHint: 'refresh_token' as const,
  }

  test('C16: a 200 is success for any body (RFC 7009 section 2.2)', async () => {
    for (const body of ['', '<html>', '{"error":"invalid_token"}']) {
      await revokeToken(token, closedNetwork().on(REVOKE, new Response(body)))
    }
  })

  test('C15: after a 503 the token still exists, and the retry time is known (RFC 7009 section 2.2.1)', async () => {
    const headers = { 'retry-after': new Date(START + 90_000).toUTCString() }
    const network = closedNetwork().on(REVOKE, new Response('', { status: 503, headers }))
    const error = await failure(revokeToken(token, network))
    expect([error.code, error.httpStatus, error.retryAfterSeconds]).toEqual([
      'network_error',
      503,
      90,
    ])
  })

  test('keeps the error unsupported_token_type and not the token (RFC 7009 section 2.2.1)', async () => {
    const body = { error: 'unsupported_token_type', error_description: 'secret-token is no such' }
    const error = await failure(
      revokeToken(token, closedNetwork().on(REVOKE, json(body, { status: 400 }))),
    )
    expect(error.error).toBe('unsupported_token_type')
    expect(JSON.stringify(error)).not.toContain('secret-token')
  })

  test.each([200, 202, 204])('H10: a %i is success', async (status) => {
    await revokeToken(token, closedNetwork().on(REVOKE, new Response(null, { status })))
  })

  const page = { headers: { 'content-type': 'text/html' } }
  test.each([400, 401, 403, 404, 405, 410, 418, 422])(
    'H10: a %i is a refusal, with a web page, with nothing and with JSON alike (RFC 7009 section 2.2.1)',
    async (status) => {
      const answers = [
        new Response('<p>secret-token</p>', { status, ...page }),
        new Response('', { status }),
        new Response('x'.repeat(300_000), { status }),
        json({ message: 'Unauthorized' }, { status }),
      ]
      for (const answer of answers) {
        const error = await failure(revokeToken(token, closedNetwork().on(REVOKE, answer)))
        expect([error.code, error.httpStatus]).toEqual(['authorization_server_error', status])
        expect(JSON.stringify(error)).not.toContain('secret-token')
      }
    },
  )

  test.each([
    [408, 'network_error'],
    [429, 'rate_limited'],
    [500, 'network_error'],
    [503, 'network_error'],
  ])('H10: a %i is none: the code is %s', async (status, code) => {
    for (const body of ['', '{"error":"invalid_client"}']) {
      const answer = json(body, { status, headers: { 'retry-after': '5' } })
      const error = await failure(revokeToken(token, closedNetwork().on(REVOKE, answer)))
      expect([error.code, error.retryAfterSeconds]).toEqual([code, 5])
    }
  })

  test('H10: a redirect is no decision of the server', async () => {
    const answer = new Response(null, { status: 302, headers: { location: 'https://portal' } })
    const error = await failure(revokeToken(token, closedNetwork().on(REVOKE, answer)))
    expect(error.code).toBe('invalid_response')
  })

  test('C17: without a revocation endpoint the error is unsupported_by_server', async () => {
    const { revocation_endpoint: _, ...silent } = METADATA
    const error = await failure(revokeToken({ ...token, metadata: silent }, closedNetwork()))
    expect(error.code).toBe('unsupported_by_server')
  })
})
