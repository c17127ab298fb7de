/**
 * Client authentication at the endpoints that need it.
 *
 * Seen to fail when the audience of an assertion follows from the protocol profile alone, and when it is the parsed URL
 * of the endpoint and not the server's string (H06).
 */

import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  beginAuthorization,
  redeemCode,
  revokeToken,
  type ServerConfig,
} from '../../../shared/core/index.ts'
import { closedNetwork, json, START } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  CLIENT_ID,
  ISSUER,
  METADATA,
  redeemable,
  request,
  SERVER,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'
import { createTestKey } from '../support/id-tokens.ts'

const server: ServerConfig = { ...SERVER, clientAuthentication: 'private_key_jwt' }

async function assertionFor(config: ServerConfig, apis: { resource: string; scope: string }[]) {
  const key = await createTestKey('ES256', 'instance-1')
  const network = closedNetwork().on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
  const flow = await redeemable(network, { server: config, apis })
  // The CAMARA response lacks its ID token; this test is about the request only.
  await redeemCode(flow, network, {
    clientKey: { privateKey: key.privateKey, kid: 'instance-1' },
  }).catch(() => undefined)
  const form = network.sent[0]?.form ?? new URLSearchParams()
  return { form, key, assertion: form.get('client_assertion') ?? '' }
}

const qos = [{ resource: 'https://api.example/v1', scope: 'qos' }]

describe('private_key_jwt (OpenID Connect Core section 9, RFC 7523 section 3)', () => {
  test('is a signed assertion of the client about itself, valid for one minute', async () => {
    const { form, key, assertion } = await assertionFor(server, qos)
    expect(form.get('client_assertion_type')).toBe(
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    )
    expect(form.get('client_id')).toBe(CLIENT_ID)
    // The second of the system clock may change between two readings.
    const clock = { currentDate: new Date(START), clockTolerance: 1 }
    await jwtVerify(assertion, key.publicKey, clock)
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'ES256', kid: 'instance-1' })
    const { iss, sub, aud, iat, exp, jti } = decodeJwt(assertion)
    expect({ iss, sub, aud }).toEqual({
      iss: CLIENT_ID,
      sub: CLIENT_ID,
      aud: ISSUER,
    })
    expect(Math.abs((iat ?? 0) - START / 1000)).toBeLessThanOrEqual(1)
    expect(exp).toBe((iat ?? 0) + 60)
    expect(jti).toMatch(/^[\w-]{43}$/)
  })

  test('has the full URL of the endpoint as its audience in CAMARA, for at most 300 s (CAMARA security profile)', async () => {
    const camara = { ...server, profile: 'camara' as const }
    const apis = [{ resource: 'https://api.example/v1', scope: 'dpv:X qos' }]
    const { aud, iat = 0, exp = 0 } = decodeJwt((await assertionFor(camara, apis)).assertion)
    expect(aud).toBe(TOKEN_ENDPOINT)
    expect(exp - iat).toBeLessThanOrEqual(300)
  })

  test.each([
    ['oauth', undefined, 'issuer'],
    ['oauth', 'issuer', 'issuer'],
    ['oauth', 'token_endpoint', 'token endpoint'],
    ['oauth', 'endpoint', 'endpoint'],
    ['capif', undefined, 'endpoint'],
    ['camara', undefined, 'endpoint'],
    ['camara', 'token_endpoint', 'token endpoint'],
    ['capif', 'issuer', 'issuer'],
  ] as const)(
    'H06: of %s with assertionAudience %j is for the %s, at each endpoint',
    async (profile, member, audience) => {
      // The spelling of a URL with the default port changes when it is parsed.
      const endpoints = {
        token_endpoint: 'https://as.example:443/token',
        revocation_endpoint: 'https://as.example:443/revoke',
        pushed_authorization_request_endpoint: 'https://as.example:443/par',
      }
      const metadata = { ...METADATA, ...endpoints }
      const config: ServerConfig = {
        ...server,
        profile,
        ...(member && { assertionAudience: member }),
      }
      const scope = profile === 'capif' ? '3gpp#aef:qos' : 'dpv:X qos'
      const clientKey = { privateKey: (await createTestKey('ES256', 'instance-1')).privateKey }
      const refused = () => json({ error: 'invalid_client' }, { status: 401 })
      const network = closedNetwork()
        .on('https://as.example/par', refused())
        .on('https://as.example/token', refused())
        .on('https://as.example/revoke', refused())
      const apis = [{ resource: 'https://api.example/v1', scope }]
      const begun = request({ server: config, metadata, apis, clientKey })
      await failure(beginAuthorization(begun, network))
      const unpushed = { ...config, pushedAuthorizationRequests: 'never' as const }
      const flow = await redeemable(network, { server: unpushed, metadata, apis, clientKey })
      await failure(redeemCode(flow, network, { clientKey }))
      const held = { clientId: CLIENT_ID, token: 'r', tokenTypeHint: 'refresh_token' as const }
      await failure(revokeToken({ server: config, metadata, clientKey, ...held }, network))
      network.done()
      const audiences = network.sent.map(
        ({ form }) => decodeJwt(form.get('client_assertion') ?? '').aud,
      )
      const { token_endpoint, revocation_endpoint, pushed_authorization_request_endpoint } =
        endpoints
      const expected = {
        issuer: [ISSUER, ISSUER, ISSUER],
        'token endpoint': [token_endpoint, token_endpoint, token_endpoint],
        endpoint: [pushed_authorization_request_endpoint, token_endpoint, revocation_endpoint],
      }
      expect(audiences).toEqual(expected[audience])
    },
  )

  test('without a key no request is sent', async () => {
    const network = closedNetwork()
    const flow = await redeemable(network, { server })
    expect((await failure(redeemCode(flow, network))).code).toBe('key_mismatch')
    expect(network.sent).toHaveLength(0)
  })

  test('a public client sends its id and no credential (RFC 6749 section 3.2.1)', async () => {
    const { form } = await assertionFor(SERVER, qos)
    expect(form.get('client_id')).toBe(CLIENT_ID)
    expect([...form.keys()].filter((name) => /secret|assertion/.test(name))).toEqual([])
  })
})
