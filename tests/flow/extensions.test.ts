/** Pushed requests, DPoP, registration and CAMARA settings with a real authorization server. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type BeginAuthorization,
  beginAuthorization,
  createDpopKey,
  type DpopKey,
  discover,
  type FlowKeys,
  receiveAuthorizationResponse,
  redeemCode,
  refreshTokens,
  registerClient,
  requestResource,
  type ServerConfig,
} from '../../shared/core/index.ts'
import { failure } from '../shared/support/failure.ts'
import {
  type AuthorizationServer,
  closeServer,
  publicClient,
  QOS,
  REDIRECT_URI,
  recordingEffects,
  type ServerOptions,
  startAuthorizationServer,
} from './authorization-server.ts'

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function setUp(options: ServerOptions, config: Partial<ServerConfig> = {}) {
  const as = await startAuthorizationServer(options)
  closing.push(() => as.close())
  const effects = recordingEffects()
  const server: ServerConfig = { issuer: as.issuer, profile: 'oauth', ...config }
  const metadata = await discover(server, effects)
  const begin = (overrides: Partial<BeginAuthorization> = {}) =>
    beginAuthorization(
      {
        server,
        metadata,
        clientId: 'app',
        redirectUri: REDIRECT_URI,
        apis: [{ resource: QOS, scope: 'openid qos' }],
        deadlineMs: Date.now() + 60_000,
        ...overrides,
      },
      effects,
    )
  const connect = async (overrides: Partial<BeginAuthorization> = {}, keys: FlowKeys = {}) => {
    const { flow, authorizationUrl } = await begin(overrides)
    const ready = receiveAuthorizationResponse(flow, await as.visit(authorizationUrl), Date.now())
    return redeemCode(ready, effects, keys)
  }
  return { as, effects, server, metadata, begin, connect }
}

describe('pushed authorization requests with a real server (RFC 9126)', () => {
  const features = {
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
  }

  test('leave two parameters in the front channel, and the flow ends with a token', async () => {
    const { as, effects, connect } = await setUp({ features })
    const tokens = await connect()
    expect(tokens.subject).toBe('subscriber-1')
    expect([...(as.authorizationRequests[0]?.keys() ?? [])].sort()).toEqual([
      'client_id',
      'request_uri',
    ])
    expect(effects.to('/request')).toHaveLength(1)
  })

  test('P12: a request_uri works once, and the next flow has another', async () => {
    const { as, begin } = await setUp({ features })
    const first = await begin()
    await as.visit(first.authorizationUrl)
    expect(await as.visit(first.authorizationUrl)).toContain('error=invalid_request_uri')
    const second = await begin()
    expect(second.authorizationUrl).not.toBe(first.authorizationUrl)
    expect(await as.visit(second.authorizationUrl)).toContain('code=')
  })

  test('P13: a request that the server rejects gives no authorization URL', async () => {
    const { begin } = await setUp({ features })
    const error = await failure(begin({ redirectUri: 'https://other.example/' }))
    expect(error.code).toBe('authorization_server_error')
  })
})

describe('DPoP with a real server (RFC 9449)', () => {
  const nonces = {
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
  }

  async function bound(features: ServerOptions['features'] = nonces) {
    const context = await setUp({ features }, { dpop: 'required' })
    const dpop = await createDpopKey()
    return { ...context, dpop, connectBound: () => context.connect({ dpop }, { dpop }) }
  }

  test('D05: a required nonce causes one retry with the same grant', async () => {
    const { effects, connectBound } = await bound()
    const tokens = await connectBound()
    expect(tokens.tokenType).toBe('DPoP')
    expect(decodeJwt(tokens.accessToken).cnf).toEqual({ jkt: expect.any(String) })
    const requests = effects.to('/token')
    expect(requests.map(({ status }) => status)).toEqual([400, 200])
    const [first, second] = requests.map(({ headers }) => decodeJwt(headers.get('dpop') ?? ''))
    expect(first?.nonce).toBeUndefined()
    expect(second?.nonce).toEqual(expect.any(String))
    expect(second?.jti).not.toBe(first?.jti)
    expect(requests[0]?.form.get('code')).toBe(requests[1]?.form.get('code'))
  })

  test('D08: the next request has the nonce, and the refresh token is bound to the key', async () => {
    const { effects, server, metadata, dpop, connectBound } = await bound()
    const { refreshToken = '' } = await connectBound()
    const held = { server, metadata, clientId: 'app', refreshToken }
    const renewed = await refreshTokens({ ...held, dpop }, effects)
    expect(renewed.tokenType).toBe('DPoP')
    expect(effects.to('/token').map(({ status }) => status)).toEqual([400, 200, 200])
    const requestOfOtherKey = {
      ...held,
      refreshToken: renewed.refreshToken ?? '',
      dpop: await createDpopKey(),
    }
    expect((await failure(refreshTokens(requestOfOtherKey, effects))).error).toMatch(
      /invalid_grant|invalid_dpop_proof/,
    )
  })

  test('D17: a code is bound to its key by dpop_jkt (RFC 9449 section 10)', async () => {
    const { as, effects, begin, dpop } = await bound()
    const { flow, authorizationUrl } = await begin({ dpop })
    const ready = receiveAuthorizationResponse(flow, await as.visit(authorizationUrl), Date.now())
    const thief = await createDpopKey()
    const { dpopThumbprint } = await import('../../shared/core/index.ts')
    const stolen = { ...ready, dpopJkt: await dpopThumbprint(thief) }
    const error = await failure(redeemCode(stolen, effects, { dpop: thief }))
    expect(error.error).toMatch(/invalid_grant|invalid_dpop_proof/)
  })

  test('D04: no two proofs of a grant share a jti', async () => {
    const { effects, server, metadata, dpop, connectBound } = await bound()
    let { refreshToken = '' } = await connectBound()
    for (let round = 0; round < 5; round++) {
      const renewed = await refreshTokens(
        { server, metadata, clientId: 'app', refreshToken, dpop },
        effects,
      )
      refreshToken = renewed.refreshToken ?? ''
    }
    const proofs = effects.to('/token').map(({ headers }) => decodeJwt(headers.get('dpop') ?? ''))
    expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(proofs.length)
  })

  test('D11: a clock that is ten minutes off works with a server that uses nonces, and is reported by a server without nonces', async () => {
    for (const offset of [-600_000, 600_000]) {
      const withNonces = await bound()
      const clock = withNonces.effects.now
      withNonces.effects.now = () => clock() + offset
      const { flow, authorizationUrl } = await withNonces.begin({
        dpop: withNonces.dpop,
        apis: [{ resource: QOS, scope: 'qos' }],
        deadlineMs: Date.now() + 3_600_000,
      })
      const url = await withNonces.as.visit(authorizationUrl)
      const ready = receiveAuthorizationResponse(flow, url, withNonces.effects.now())
      const keys = { dpop: withNonces.dpop }
      expect((await redeemCode(ready, withNonces.effects, keys)).tokenType).toBe('DPoP')

      const without = await bound({ dPoP: { enabled: true } })
      without.effects.now = withNonces.effects.now
      const told = await failure(
        without.connect(
          { dpop: without.dpop, deadlineMs: Date.now() + 3_600_000 },
          { dpop: without.dpop },
        ),
      )
      expect(told.error).toBe('invalid_dpop_proof')
    }
  })

  test('with PAR the proof of the pushed request binds the code (RFC 9449 section 10.1)', async () => {
    const { effects, connectBound } = await bound({
      ...nonces,
      pushedAuthorizationRequests: { enabled: true },
    })
    expect((await connectBound()).tokenType).toBe('DPoP')
    expect(effects.to('/request').map(({ status }) => status)).toEqual([400, 201])
    expect(effects.to('/token').map(({ status }) => status)).toEqual([200])
  })

  test('D02, D03: a resource that checks token, ath and htu accepts the call, with its own nonce', async () => {
    const { as, dpop, connectBound, effects } = await bound()
    const { accessToken } = await connectBound()
    const resource = await startResource(as, dpop)
    for (const path of ['/qos/v1/sessions?a=b', '/qos/v1/a%2Fb', '/qos//v1/', '/qos/v1/%C3%A4']) {
      const response = await requestResource(
        { url: resource.url + path, method: 'GET', accessToken, tokenType: 'DPoP', dpop },
        effects,
      )
      expect([path, response.status, await response.text()]).toEqual([path, 200, 'subscriber-1'])
    }
    expect(resource.statuses).toEqual([401, 200, 200, 200, 200])
  })

  /** A resource server with the checks of oauth4webapi. */
  async function startResource(as: AuthorizationServer, _key: DpopKey) {
    const statuses: number[] = []
    const issuer: oauth.AuthorizationServer = {
      issuer: as.issuer,
      jwks_uri: `${as.issuer}/jwks`,
    }
    const server = createServer(async (incoming, outgoing) => {
      const url = `http://${incoming.headers.host}${incoming.url}`
      const answer = (status: number, headers: Record<string, string>, body = '') => {
        statuses.push(status)
        outgoing.writeHead(status, { ...headers, 'dpop-nonce': 'of-the-resource' }).end(body)
      }
      const proof = String(incoming.headers.dpop ?? '')
      if (decodeJwt(proof).nonce !== 'of-the-resource') {
        return answer(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"' })
      }
      try {
        const headers = new Headers({
          authorization: incoming.headers.authorization ?? '',
          dpop: proof,
        })
        const claims = await oauth.validateJwtAccessToken(
          issuer,
          new Request(url, { headers }),
          QOS,
          { requireDPoP: true, [oauth.allowInsecureRequests]: true },
        )
        answer(200, {}, claims.sub)
      } catch (error) {
        answer(403, {}, String(error))
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => closeServer(server))
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, statuses }
  }
})

describe('registration with a real server (RFC 7591)', () => {
  const features = {
    registration: { enabled: true },
  }

  test('registers a public client with which the flow works', async () => {
    const { effects, server, metadata, connect } = await setUp({ features, clients: [] })
    const client = await registerClient(
      { server, metadata, clientName: 'Cloud gaming', redirectUris: [REDIRECT_URI] },
      effects,
    )
    expect(client.authentication).toBe('none')
    expect((await connect({ clientId: client.clientId })).subject).toBe('subscriber-1')
  })

  test('registers a client with a key of this UE, with which private_key_jwt works', async () => {
    const { effects, server, metadata, connect } = await setUp(
      { features, clients: [] },
      { clientAuthentication: 'private_key_jwt' },
    )
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
      'verify',
    ])
    const client = await registerClient(
      {
        server,
        metadata,
        clientName: 'Cloud gaming',
        redirectUris: [REDIRECT_URI],
        clientPublicKey: pair.publicKey,
      },
      effects,
    )
    const clientKey = { privateKey: pair.privateKey, kid: client.kid ?? '' }
    const tokens = await connect({ clientId: client.clientId, clientKey }, { clientKey })
    expect(tokens.subject).toBe('subscriber-1')
    const [sent] = effects.to('/token')
    expect(decodeProtectedHeader(sent?.form.get('client_assertion') ?? '').kid).toBe(client.kid)
    expect(decodeJwt(sent?.form.get('client_assertion') ?? '')).toMatchObject({
      iss: client.clientId,
      aud: server.issuer,
    })
    const renewed = await refreshTokens(
      {
        server,
        metadata,
        clientId: client.clientId,
        refreshToken: tokens.refreshToken ?? '',
        clientKey,
      },
      effects,
    )
    expect(renewed.accessToken).not.toBe(tokens.accessToken)
  })

  test('private_key_jwt with another key is rejected', async () => {
    const { effects, server, metadata, connect } = await setUp(
      { features, clients: [] },
      { clientAuthentication: 'private_key_jwt' },
    )
    const [own, other] = await Promise.all(
      [0, 1].map(() =>
        crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
          'sign',
          'verify',
        ]),
      ),
    )
    const client = await registerClient(
      {
        server,
        metadata,
        clientName: 'x',
        redirectUris: [REDIRECT_URI],
        clientPublicKey: (own as CryptoKeyPair).publicKey,
      },
      effects,
    )
    const clientKey = { privateKey: (other as CryptoKeyPair).privateKey }
    const error = await failure(connect({ clientId: client.clientId, clientKey }, { clientKey }))
    expect(error.error).toBe('invalid_client')
  })
})

describe('CAMARA settings with a real server', () => {
  test('openid and one purpose are requested, and the assertion is for the endpoint', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ])
    const { as, effects, begin } = await setUp(
      {
        clients: [
          {
            ...publicClient('app'),
            token_endpoint_auth_method: 'private_key_jwt',
            token_endpoint_auth_signing_alg: 'ES256',
            jwks: { keys: [(await crypto.subtle.exportKey('jwk', pair.publicKey)) as never] },
          },
        ],
      },
      { profile: 'camara', clientAuthentication: 'private_key_jwt' },
    )
    const clientKey = { privateKey: pair.privateKey }
    const apis = [{ resource: QOS, scope: 'sim-swap:check', purpose: 'dpv:ServiceProvision' }]
    const { flow, authorizationUrl } = await begin({ apis, clientKey, offlineAccess: true })
    const ready = receiveAuthorizationResponse(flow, await as.visit(authorizationUrl), Date.now())
    const tokens = await redeemCode(ready, effects, { clientKey })
    expect(tokens.subject).toBe('subscriber-1')
    expect(as.authorizationRequests[0]?.get('scope')).toBe(
      'openid dpv:ServiceProvision sim-swap:check offline_access',
    )
    const assertion = effects.to('/token')[0]?.form.get('client_assertion') ?? ''
    expect(decodeJwt(assertion).aud).toBe(`${as.issuer}/token`)
  })
})
