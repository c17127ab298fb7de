/**
 * JSON of servers: labels, octets, and members without a value.
 *
 * Seen to fail when a `charset` other than UTF-8 rejects a response, when octets of another encoding are decoded with
 * replacement characters, and when a member that is `null` is not dropped.
 */

import { describe, expect, test } from 'vitest'
import { fetchClientDocument, registerClient } from '../../../shared/core/index.ts'
import { readJsonObject } from '../../../shared/oauth/json-response.ts'
import { discoverMetadata } from '../../../shared/oauth/metadata.ts'
import { closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import { ISSUER, JWKS_URI, METADATA, REDIRECT_URI, SERVER } from '../support/fixtures.ts'
import { check, createTestKey, sign } from '../support/id-tokens.ts'

function response(body: string | Uint8Array<ArrayBuffer>, type: string) {
  const octets = typeof body === 'string' ? new TextEncoder().encode(body) : body
  return { status: 200, headers: new Headers({ 'content-type': type }), octets }
}

const read = (body: string | Uint8Array<ArrayBuffer>, type: string) =>
  readJsonObject(response(body, type), 'endpoint')

describe('the encoding of JSON (RFC 8259 sections 8.1 and 11)', () => {
  test.each([
    'ISO-8859-1',
    'iso-8859-1',
    'utf8',
    'UTF-8',
    '"utf-8"',
    'us-ascii',
    'windows-1252',
    'utf-16',
    'x-unknown',
    '',
  ])('H03: JSON labelled charset=%s is decoded as UTF-8', (charset) => {
    expect(read('{"name":"Größe €"}', `application/json;charset=${charset}`)).toEqual({
      name: 'Größe €',
    })
  })

  test('H03: octets of another encoding are rejected, also under its label', async () => {
    // {"ä":1} in ISO-8859-1.
    const latin = Uint8Array.of(0x7b, 0x22, 0xe4, 0x22, 0x3a, 0x31, 0x7d)
    const error = await failure(() => read(latin, 'application/json; charset=ISO-8859-1'))
    expect(error.code).toBe('invalid_response')
    expect(error.message).toContain('UTF-8')
  })

  test('H03: the label of a type that is not JSON does not make it JSON', async () => {
    const error = await failure(() => read('{}', 'text/html; charset=utf-8'))
    expect(error.code).toBe('invalid_response')
  })
})

describe('a member that is null is absent', () => {
  test('H14: on the first level of a response, and of nothing below it', () => {
    expect(read('{"a":null,"b":{"c":null},"__proto__":null}', 'application/json')).toEqual({
      b: { c: null },
    })
  })

  test('H14: in metadata, where a member of the operator profile stays', async () => {
    const published = {
      ...METADATA,
      registration_endpoint: null,
      scopes_supported: null,
      require_pushed_authorization_requests: null,
      revocation_endpoint: null,
    }
    const network = closedNetwork().on(
      `${ISSUER}/.well-known/oauth-authorization-server`,
      json(published),
    )
    const overrides = { revocation_endpoint: `${ISSUER}/own`, token_endpoint: null }
    expect(
      await discoverMetadata({ issuer: ISSUER, overrides, wellKnown: ['oauth2'] }, network),
    ).toEqual({ ...METADATA, revocation_endpoint: `${ISSUER}/own` })
  })

  test('H14: in a registration and in a client document', async () => {
    const REGISTER = `${ISSUER}/register`
    const registered = { client_id: 'c', redirect_uris: null, token_endpoint_auth_method: null }
    const network = closedNetwork().on(REGISTER, json(registered, { status: 201 }))
    const request = {
      server: SERVER,
      metadata: { ...METADATA, registration_endpoint: REGISTER },
      clientName: 'c',
      redirectUris: [REDIRECT_URI],
    }
    expect((await registerClient(request, network)).clientId).toBe('c')
    const origin = 'https://games.example'
    const clientId = `${origin}/client.json`
    const document = { client_id: clientId, redirect_uris: [REDIRECT_URI], client_secret: null }
    network.on(clientId, json({ ...document, token_endpoint_auth_method: null }))
    await fetchClientDocument({ clientId, origin, redirectUri: REDIRECT_URI }, network)
  })

  test('H14: in the keys of a key set, and a private key stays rejected', async () => {
    const key = await createTestKey()
    const idToken = await sign(key)
    const unset = { alg: null, key_ops: null, x5c: null, d: null, use: null }
    expect((await check(idToken, { keys: [{ ...key.jwk, ...unset }] })).sub).toBe('subscriber-1')
    const leaked = await failure(check(idToken, { keys: [{ ...key.jwk, d: 'AA' }] }))
    expect(leaked.code).toBe('invalid_id_token')
  })
})

test('H03: a key set labelled charset=ISO-8859-1 verifies an ID token, as Spring sends it', async () => {
  const key = await createTestKey()
  const { validateIdToken } = await import('../../../shared/oauth/id-token.ts')
  const { ACCESS_TOKEN, NONCE } = await import('../support/id-tokens.ts')
  const headers = { 'content-type': 'application/json;charset=ISO-8859-1' }
  const network = closedNetwork().on(JWKS_URI, json({ keys: [key.jwk] }, { headers }))
  const metadata = { ...METADATA, id_token_signing_alg_values_supported: ['ES256'] }
  const expected = { metadata, clientId: 'cloud-gaming', accessToken: ACCESS_TOKEN, nonce: NONCE }
  expect((await validateIdToken(await sign(key), expected, network)).sub).toBe('subscriber-1')
})
