/** Validation of ID tokens: signature, claims and header. */

import { beforeAll, describe, expect, test } from 'vitest'
import { redeemCode, type TokenSet } from '../../../shared/core/index.ts'
import { validateIdToken } from '../../../shared/oauth/id-token.ts'
import { closedNetwork, json } from '../support/closed-network.ts'
import { failure } from '../support/failure.ts'
import {
  CLIENT_ID,
  ISSUER,
  JWKS_URI,
  METADATA,
  RESOURCE,
  redeemable,
  SERVER,
  TOKEN_ENDPOINT,
  TOKEN_RESPONSE,
} from '../support/fixtures.ts'
import {
  ACCESS_TOKEN,
  type CheckOptions,
  CLAIMS,
  check,
  createTestKey,
  encodeBytes,
  NONCE,
  NOW,
  sign,
  signRaw,
  type TestKey,
} from '../support/id-tokens.ts'

let key: TestKey
let otherKey: TestKey

beforeAll(async () => {
  key = await createTestKey('ES256', 'k1')
  otherKey = await createTestKey('ES256', 'k2')
})

async function expectAccepted(idToken: string, options: CheckOptions = {}) {
  expect((await check(idToken, { keys: [key.jwk], ...options })).sub).toBe('subscriber-1')
}

async function expectRejected(idToken: string | Promise<string>, options: CheckOptions = {}) {
  const error = await failure(check(await idToken, { keys: [key.jwk], ...options }))
  expect(error.code).toBe('invalid_id_token')
}

describe('signature and algorithm (RFC 7515 section 5.2, RFC 8725 section 3)', () => {
  test('a valid ID token returns its claims', async () => {
    const claims = await check(await sign(key, { auth_time: NOW, acr: '1', amr: ['nba'], x: 1 }), {
      keys: [key.jwk],
    })
    expect(claims).toEqual({
      iss: ISSUER,
      sub: 'subscriber-1',
      aud: CLIENT_ID,
      iat: NOW,
      exp: NOW + 300,
      auth_time: NOW,
      nonce: NONCE,
      acr: '1',
      amr: ['nba'],
    })
  })

  test.each([['ES256'], ['ES256', 'none'], ['none']])(
    'J01: alg none is rejected, also if the server offers %j %j',
    async (...offered) => {
      const metadata = { id_token_signing_alg_values_supported: offered }
      for (const alg of ['none', 'None', 'NONE', '']) {
        await expectRejected(signRaw(JSON.stringify({ alg }), {}), { metadata })
        await expectRejected(signRaw(JSON.stringify({ alg, kid: 'k1' }), {}, key), { metadata })
      }
    },
  )

  test('J01: an empty signature is rejected', async () => {
    const [header, payload] = (await sign(key)).split('.')
    await expectRejected(`${header}.${payload}.`)
    await expectRejected(`${header}.${payload}`)
  })

  test('J02: HS256 with the public key as its secret is rejected (RFC 8725 section 3.1)', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(key.jwk))
    const hmac = await crypto.subtle.importKey(
      'raw',
      secret,
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    )
    const unsigned = await signRaw('{"alg":"HS256","kid":"k1"}', {})
    const input = unsigned.slice(0, -1)
    const mac = await crypto.subtle.sign('HMAC', hmac, new TextEncoder().encode(input))
    const idToken = `${input}.${encodeBytes(new Uint8Array(mac))}`
    await expectRejected(idToken)
    await expectRejected(idToken, {
      metadata: { id_token_signing_alg_values_supported: ['HS256'] },
    })
  })

  test('J03: an algorithm that the server does not list is rejected (RFC 8725 section 3.2)', async () => {
    const p384 = await createTestKey('ES384', 'k1')
    await expectRejected(sign(p384), { keys: [p384.jwk] })
    const { id_token_signing_alg_values_supported: _, ...silent } = METADATA
    const network = closedNetwork().on(JWKS_URI, json({ keys: [key.jwk] }))
    const expected = {
      metadata: silent,
      clientId: CLIENT_ID,
      accessToken: ACCESS_TOKEN,
      nonce: NONCE,
    }
    const error = await failure(validateIdToken(await sign(key), expected, network))
    expect(error.code).toBe('invalid_id_token')
  })

  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'RS512'] as const)(
    'J04: %s verifies, and with one octet changed it does not',
    async (alg) => {
      const signer = await createTestKey(alg, 'k1')
      const options = {
        keys: [signer.jwk],
        metadata: { id_token_signing_alg_values_supported: [alg] },
      }
      const idToken = await sign(signer)
      await expectAccepted(idToken, options)
      const [header, payload, signature = ''] = idToken.split('.')
      const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)
      await expectRejected(`${header}.${payload}.${flipped}`, options)
    },
  )

  test('J04: changed claims under an old signature are rejected', async () => {
    const [header, , signature] = (await sign(key)).split('.')
    const payload = encodeBytes(
      new TextEncoder().encode(JSON.stringify({ ...CLAIMS, sub: 'somebody else' })),
    )
    await expectRejected(`${header}.${payload}.${signature}`)
  })
})

describe('claims (OpenID Connect Core section 3.1.3.7)', () => {
  test.each([
    ['J07: iss of another server', { iss: 'https://evil.example' }],
    ['J07: iss with a slash more', { iss: `${ISSUER}/` }],
    ['J07: no iss', { iss: undefined }],
    ['J08: aud of another client', { aud: 'another' }],
    ['J08: no aud', { aud: undefined }],
    ['J08: an empty list of aud', { aud: [] }],
    ['J08: a further audience', { aud: [CLIENT_ID, 'another'] }],
    ['J08: a further audience, with azp', { aud: [CLIENT_ID, 'another'], azp: CLIENT_ID }],
    ['J09: azp of another client, several audiences', { aud: [CLIENT_ID, 'b'], azp: 'b' }],
    ['J09: azp of another client, one audience', { azp: 'b' }],
    ['J10: exp in the past', { exp: NOW - 61 }],
    ['J10: no exp', { exp: undefined }],
    ['J10: exp as a string', { exp: String(NOW + 300) }],
    ['J11: iat in the future', { iat: NOW + 120 }],
    ['J11: nbf in the future', { nbf: NOW + 120 }],
    ['J11: no iat', { iat: undefined }],
    ['J12: another nonce', { nonce: 'another' }],
    ['J12: no nonce', { nonce: undefined }],
    ['J13: at_hash of another token', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['J13: at_hash that is no string', { at_hash: 7 }],
    ['J14: no sub', { sub: undefined }],
    ['J14: an empty sub', { sub: '' }],
    ['J14: a number for a sub', { sub: 7 }],
    ['J23: the events of a logout token', { events: { logout: {} } }],
  ])('%s is rejected', async (_what, changes) => {
    await expectRejected(sign(key, changes))
  })

  test('J08: a list that contains only the client is accepted', async () => {
    await expectAccepted(await sign(key, { aud: [CLIENT_ID] }))
  })

  test.each([
    ['J10: exp just past', { exp: NOW - 20 }],
    ['J11: iat a little ahead', { iat: NOW + 20 }],
    ['J11: nbf a little ahead', { nbf: NOW + 20 }],
  ])('%s is within the tolerance', async (_what, changes) => {
    await expectAccepted(await sign(key, changes))
  })

  test('J13: the right at_hash is accepted (OpenID Connect Core section 3.1.3.6)', async () => {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(ACCESS_TOKEN))
    const at_hash = encodeBytes(new Uint8Array(digest).slice(0, 16))
    await expectAccepted(await sign(key, { at_hash }))
  })

  test('auth_time is required and must be recent if a maximum age was requested', async () => {
    const expected = { maxAge: 60 }
    await expectRejected(sign(key), { expected })
    await expectRejected(sign(key, { auth_time: NOW - 120 }), { expected })
    await expectAccepted(await sign(key, { auth_time: NOW - 60 }), { expected })
  })

  test('J12: a wrong nonce rejects the response, and no token is returned (RFC 9700 section 4.5)', async () => {
    const network = closedNetwork()
      .on(TOKEN_ENDPOINT, json({ ...TOKEN_RESPONSE, id_token: await sign(key) }))
      .on(JWKS_URI, json({ keys: [key.jwk] }))
    const metadata = { ...METADATA, id_token_signing_alg_values_supported: ['ES256'] }
    const apis = [{ resource: RESOURCE, scope: 'openid qos' }]
    const flow = await redeemable(network, { metadata, apis })
    expect((await failure(redeemCode(flow, network))).code).toBe('invalid_id_token')
  })

  test('a response without an ID token is rejected if openid was requested', async () => {
    const network = closedNetwork().on(TOKEN_ENDPOINT, json(TOKEN_RESPONSE))
    const flow = await redeemable(network, { apis: [{ resource: RESOURCE, scope: 'openid qos' }] })
    expect((await failure(redeemCode(flow, network))).code).toBe('invalid_id_token')
  })

  test.each([
    ['a request for an ID token', { idToken: true }],
    ['a server whose profile says so', { server: { ...SERVER, openid: 'required' as const } }],
    [
      'a server whose metadata offers openid, where the profile says when_offered',
      {
        server: { ...SERVER, openid: 'when_offered' as const },
        metadata: { ...METADATA, scopes_supported: ['openid', 'qos'] },
      },
    ],
  ])(
    'A02: %s requires one, whatever scope is wanted, and the caller gets the tokens to revoke',
    async (_, more) => {
      const network = closedNetwork().on(
        TOKEN_ENDPOINT,
        json({ ...TOKEN_RESPONSE, refresh_token: 'refresh' }),
      )
      const flow = await redeemable(network, more)
      expect(flow.scope).toBe('openid qos')
      const rejected: TokenSet[] = []
      const onTokensRejected = (tokens: TokenSet) => void rejected.push(tokens)
      const error = await failure(redeemCode(flow, network, { onTokensRejected }))
      expect(error.code).toBe('invalid_id_token')
      expect(rejected).toMatchObject([
        { accessToken: TOKEN_RESPONSE.access_token, refreshToken: 'refresh' },
      ])
      expect(rejected[0]).not.toHaveProperty('subject')
    },
  )
})

describe('header (RFC 7515 section 4)', () => {
  test.each([
    ['J15: an unknown crit', '{"alg":"ES256","kid":"k1","crit":["x"],"x":1}'],
    ['J15: an empty crit', '{"alg":"ES256","kid":"k1","crit":[]}'],
    ['J15: b64 false', '{"alg":"ES256","kid":"k1","b64":false,"crit":["b64"]}'],
    ['J15: b64 false without crit', '{"alg":"ES256","kid":"k1","b64":false}'],
    ['J15: alg twice', '{"alg":"none","alg":"ES256","kid":"k1"}'],
    ['J15: kid twice, with white space', '{ "kid" : "k2", "alg":"ES256", "kid" :"k1" }'],
    ['a header that is a list', '["ES256"]'],
    ['a header that is no JSON', 'ES256'],
    ['J23: an access token (RFC 9068)', '{"alg":"ES256","kid":"k1","typ":"at+jwt"}'],
    ['J23: a logout token', '{"alg":"ES256","kid":"k1","typ":"logout+jwt"}'],
    ['J23: a proof', '{"alg":"ES256","kid":"k1","typ":"dpop+jwt"}'],
    ['J23: a typ that is no string', '{"alg":"ES256","kid":"k1","typ":7}'],
  ])('%s is rejected', async (_what, header) => {
    await expectRejected(signRaw(header, {}, key))
  })

  test.each(['JWT', 'jwt', 'application/jwt'])('the type "%s" is accepted', async (typ) => {
    await expectAccepted(await sign(key, {}, { kid: 'k1', typ }))
  })

  test('a header with strings that look like members is accepted', async () => {
    await expectAccepted(await signRaw('{"alg":"ES256","kid":"k1","x":"\\"alg\\":1"}', {}, key))
  })

  test('J16: jku, x5u and an embedded key are ignored, and nothing is fetched for them', async () => {
    const header = { kid: 'k1', jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x5u' }
    await expectRejected(sign(otherKey, {}, { ...header, jwk: otherKey.jwk }))
    await expectAccepted(await sign(key, {}, header))
  })

  test('an encrypted token is rejected', async () => {
    await expectRejected(`${await sign(key)}.a.b`)
    await expectRejected('a.b.c')
    await expectRejected('')
  })
})
