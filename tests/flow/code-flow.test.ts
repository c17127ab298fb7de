/** The code flow with a real authorization server. */

import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type AwaitingAuthorizationResponse,
  type BeginAuthorization,
  beginAuthorization,
  discover,
  receiveAuthorizationResponse,
  redeemCode,
  refreshTokens,
  revokeToken,
  type ServerConfig,
  type ServerMetadata,
  type TokenSet,
} from '../../shared/core/index.ts'
import { failure } from '../shared/support/failure.ts'
import {
  type AuthorizationServer,
  LOCATION,
  publicClient,
  QOS,
  REDIRECT_URI,
  recordingEffects,
  startAuthorizationServer,
} from './authorization-server.ts'

let as: AuthorizationServer
let server: ServerConfig
let metadata: ServerMetadata
let effects: ReturnType<typeof recordingEffects>

beforeAll(async () => {
  as = await startAuthorizationServer({ clients: [publicClient('app'), publicClient('other')] })
  server = { issuer: as.issuer, profile: 'oauth' }
})

afterAll(() => as.close())

beforeEach(async () => {
  effects = recordingEffects()
  metadata = await discover(server, effects)
  as.authorizationRequests.length = 0
})

function request(overrides: Partial<BeginAuthorization> = {}): BeginAuthorization {
  return {
    server,
    metadata,
    clientId: 'app',
    redirectUri: REDIRECT_URI,
    apis: [{ resource: QOS, scope: 'openid qos' }],
    deadlineMs: Date.now() + 60_000,
    ...overrides,
  }
}

async function authorize(overrides: Partial<BeginAuthorization> = {}) {
  const { flow, authorizationUrl } = await beginAuthorization(request(overrides), effects)
  return { flow, url: await as.visit(authorizationUrl) }
}

async function connect(overrides: Partial<BeginAuthorization> = {}): Promise<TokenSet> {
  const { flow, url } = await authorize(overrides)
  return redeemCode(receiveAuthorizationResponse(flow, url, Date.now()), effects)
}

const held = (refreshToken: string) => ({ server, metadata, clientId: 'app', refreshToken })

describe('the code flow with a real authorization server', () => {
  test('ends with a token for the resource and the subject (RFC 6749 section 4.1, RFC 8707)', async () => {
    const tokens = await connect()
    expect(tokens).toMatchObject({
      tokenType: 'Bearer',
      scope: expect.stringContaining('qos'),
      resource: QOS,
      subject: 'subscriber-1',
      singleUse: false,
    })
    expect(decodeJwt(tokens.accessToken)).toMatchObject({ aud: QOS, iss: as.issuer })
    expect(tokens.idTokenClaims).toMatchObject({ iss: as.issuer, aud: 'app' })
    expect(effects.to('/token')).toHaveLength(1)
  })

  test('sends the challenge that is the hash of its verifier (RFC 7636 section 4.6)', async () => {
    await connect()
    const verifier = effects.to('/token')[0]?.form.get('code_verifier') ?? ''
    const [parameters] = as.authorizationRequests
    expect(parameters?.get('code_challenge_method')).toBe('S256')
    expect(parameters?.get('code_challenge')).toBe(
      createHash('sha256').update(verifier).digest('base64url'),
    )
    expect(String(parameters)).not.toContain(verifier)
  })

  test('P04: every attempt has a new challenge (RFC 9700 section 2.1.1)', async () => {
    for (let round = 0; round < 5; round++) await authorize()
    const challenges = as.authorizationRequests.map((parameters) =>
      parameters.get('code_challenge'),
    )
    expect(new Set(challenges.filter((challenge) => challenge !== null)).size).toBe(5)
  })

  test('R17: a code of another flow is rejected because of its verifier (RFC 9700 section 4.5)', async () => {
    const attacker = await authorize()
    const victim = await authorize()
    const code = new URL(attacker.url).searchParams.get('code') ?? ''
    const injected = new URL(victim.url)
    injected.searchParams.set('code', code)
    const ready = receiveAuthorizationResponse(victim.flow, injected.href, Date.now())
    const error = await failure(redeemCode(ready, effects))
    expect([error.code, error.error]).toEqual(['authorization_server_error', 'invalid_grant'])
    expect(effects.to('/token')).toHaveLength(1)
  })

  test('R26: a code without its verifier gives no token', async () => {
    const { flow, url } = await authorize()
    const thief = { ...flow, codeVerifier: 'x'.repeat(43) } as AwaitingAuthorizationResponse
    const ready = receiveAuthorizationResponse(thief, url, Date.now())
    expect((await failure(redeemCode(ready, effects))).error).toBe('invalid_grant')
  })

  test('R15, T13: a used code is rejected, and the flow fails without a retry (RFC 6749 section 4.1.2)', async () => {
    const { flow, url } = await authorize()
    const ready = receiveAuthorizationResponse(flow, url, Date.now())
    await redeemCode(ready, effects)
    expect((await failure(redeemCode(ready, effects))).error).toBe('invalid_grant')
    expect(effects.to('/token')).toHaveLength(2)
  })

  test('R08, R09: the iss of the server itself is required, and no other is accepted (RFC 9207 section 2.4)', async () => {
    expect(metadata.authorization_response_iss_parameter_supported).toBe(true)
    const { flow, url } = await authorize()
    expect(new URL(url).searchParams.get('iss')).toBe(as.issuer)
    const without = new URL(url)
    without.searchParams.delete('iss')
    for (const changed of [without.href, url.replace('127.0.0.1', 'localhost')]) {
      const error = await failure(() => receiveAuthorizationResponse(flow, changed, Date.now()))
      expect(error.code).toBe('issuer_mismatch')
    }
  })

  test('P11: a redirect URI that is not the registered one is rejected by the server', async () => {
    for (const redirectUri of [`${REDIRECT_URI}/`, 'https://broker.example/Issuer']) {
      const { authorizationUrl } = await beginAuthorization(request({ redirectUri }), effects)
      await expect(as.visit(authorizationUrl)).rejects.toThrow('400')
    }
  })

  test('X16: a silent attempt without a session fails with login_required (OpenID Connect Core section 3.1.2.6)', async () => {
    const { flow, url } = await authorize({ prompt: 'none' })
    const error = await failure(() => receiveAuthorizationResponse(flow, url, Date.now()))
    expect([error.code, error.error]).toEqual(['interaction_required', 'login_required'])
  })

  test('a silent attempt with a session needs no interaction', async () => {
    const jar = new Map<string, string>()
    const first = await beginAuthorization(request(), effects)
    await as.visit(first.authorizationUrl, jar)
    const { flow, authorizationUrl } = await beginAuthorization(
      request({ prompt: 'none' }),
      effects,
    )
    const url = await as.visit(authorizationUrl, jar)
    const ready = receiveAuthorizationResponse(flow, url, Date.now())
    expect((await redeemCode(ready, effects)).subject).toBe('subscriber-1')
  })

  test('max_age adds auth_time to the ID token, and auth_time is checked (OpenID Connect Core section 3.1.2.1)', async () => {
    const tokens = await connect({ maxAge: 300 })
    expect(tokens.idTokenClaims?.auth_time).toBeGreaterThan(Date.now() / 1000 - 300)
  })

  test('T11: words that the server does not grant are not in the scope', async () => {
    const tokens = await connect({ apis: [{ resource: QOS, scope: 'openid qos made-up' }] })
    expect(tokens.scope).not.toContain('made-up')
  })
})

describe('refresh (RFC 6749 section 6)', () => {
  test('C08, C09: rotates the refresh token, and the old one ends the grant (RFC 9700 section 4.14)', async () => {
    const first = await connect()
    const second = await refreshTokens(held(first.refreshToken ?? ''), effects)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(second.accessToken).not.toBe(first.accessToken)
    const reused = await failure(refreshTokens(held(first.refreshToken ?? ''), effects))
    expect(reused.error).toBe('invalid_grant')
    const after = await failure(refreshTokens(held(second.refreshToken ?? ''), effects))
    expect(after.error).toBe('invalid_grant')
  })

  test('gives a token for a second resource of the grant (RFC 8707 section 2.2)', async () => {
    const apis = [
      { resource: QOS, scope: 'qos' },
      { resource: LOCATION, scope: 'location' },
    ]
    const resources = { server: { ...server, resourceIndicators: 'always' as const } }
    const first = await connect({ ...resources, apis })
    expect(decodeJwt(first.accessToken)).toMatchObject({ aud: QOS, scope: 'qos' })
    const wanted = { resource: LOCATION, scope: 'location' }
    const second = await refreshTokens(
      { ...held(first.refreshToken ?? ''), ...resources, ...wanted },
      effects,
    )
    expect(decodeJwt(second.accessToken)).toMatchObject({ aud: LOCATION, scope: 'location' })
  })

  test('H09: names no scope where all of it is wanted, and a part with what belongs to no API', async () => {
    const apis = [{ resource: QOS, scope: 'qos' }]
    const wanted = { resource: QOS, scope: 'qos' }
    const first = await connect({ apis, idToken: true, offlineAccess: true })
    const whole = { ...wanted, apis, grantedScope: 'openid qos offline_access' }
    const again = await refreshTokens({ ...held(first.refreshToken ?? ''), ...whole }, effects)
    expect(decodeJwt(again.accessToken)).toMatchObject({ aud: QOS, scope: 'qos' })
    const more = [...apis, { resource: LOCATION, scope: 'location' }]
    const part = { ...whole, apis: more, grantedScope: 'openid qos location' }
    await refreshTokens({ ...held(again.refreshToken ?? ''), ...part }, effects)
    const [, refresh, narrowed] = effects.to('/token').map(({ form }) => form.get('scope'))
    expect([refresh, narrowed]).toEqual([null, 'openid qos'])
  })

  test('J21: accepts the ID token of a refresh for the same subject only', async () => {
    const first = await connect()
    const again = await refreshTokens(
      { ...held(first.refreshToken ?? ''), idTokenClaims: first.idTokenClaims },
      effects,
    )
    expect(again.subject).toBe('subscriber-1')
    const claims = { ...again.idTokenClaims, sub: 'subscriber-2' } as typeof again.idTokenClaims
    const error = await failure(
      refreshTokens({ ...held(again.refreshToken ?? ''), idTokenClaims: claims }, effects),
    )
    expect(error.code).toBe('invalid_id_token')
  })
})

describe('revocation (RFC 7009)', () => {
  const revoke = (token: string) =>
    revokeToken(
      { server, metadata, clientId: 'app', token, tokenTypeHint: 'refresh_token' },
      effects,
    )

  test('C14: a revoked refresh token gives no token any more', async () => {
    const { refreshToken = '' } = await connect()
    await revoke(refreshToken)
    expect((await failure(refreshTokens(held(refreshToken), effects))).error).toBe('invalid_grant')
  })

  test('C16: an unknown token is success (RFC 7009 section 2.2)', async () => {
    await revoke('never-issued')
  })
})

describe('two authorization servers', () => {
  test('R12: a code of one server is never sent to the other (RFC 9700 section 4.4)', async () => {
    const evil = await startAuthorizationServer()
    try {
      const evilServer: ServerConfig = { issuer: evil.issuer, profile: 'oauth' }
      const evilMetadata = await discover(evilServer, effects)
      const begun = await beginAuthorization(
        request({ server: evilServer, metadata: evilMetadata }),
        effects,
      )
      // The malicious server redirects the user to the honest server, with the parameters of the flow.
      const onward = new URL(`${as.issuer}/auth`)
      onward.search = new URL(begun.authorizationUrl).search
      const url = await as.visit(onward.href)
      expect(new URL(url).searchParams.get('state')).toBe(begun.flow.state)
      const error = await failure(() => receiveAuthorizationResponse(begun.flow, url, Date.now()))
      expect(error.code).toBe('issuer_mismatch')
      expect(effects.to('/token')).toHaveLength(0)
    } finally {
      await evil.close()
    }
  })
})
