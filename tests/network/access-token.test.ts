/** Verification of access tokens at an API exposing function: each test changes one property of a valid token. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AccessNetwork } from '../../demo-site/network/access-network.ts'
import { requireToken, type TokenTrust } from '../../demo-site/network/apis/access-token.ts'
import { findExposedApi } from '../../demo-site/network/apis/catalogue.ts'
import { ProofChecker } from '../../demo-site/network/apis/dpop-proof.ts'
import { handleProblems } from '../../demo-site/network/apis/problem-details.ts'
import { IssuedTokens } from '../../demo-site/network/authorization-function/issued-tokens.ts'
import { DEFAULT_SUBSCRIBERS } from '../../demo-site/network/index.ts'
import { SubscriberDirectory } from '../../demo-site/network/subscribers.ts'
import { SubscriberAddresses } from '../../demo-site/network/user-plane/addresses.ts'

const ISSUER = 'http://localhost:1'
const APIS = 'http://127.0.0.1:2'
const NAME = '3gpp-as-session-with-qos'
const AUDIENCE = `${APIS}/${NAME}/v1`

let server: Server
let url: string
let key: CryptoKey

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  key = privateKey
  const tokens = new IssuedTokens()
  const remembered = {
    clientId: 'skyframe',
    accountId: 'mira',
    grantId: 'g',
    scope: NAME,
    exp: 0,
    amr: [],
  }
  tokens.add({ ...remembered, jti: 'known', issuer: ISSUER })
  tokens.add({ ...remembered, jti: 'elsewhere', issuer: 'http://localhost:9' })
  tokens.add({ ...remembered, jti: 'stranger', issuer: ISSUER, accountId: 'nobody' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }
  const trust = {
    servers: [
      {
        settings: { issuer: ISSUER, profile: 'oauth', apisOrigin: APIS },
        jwks: { keys: [jwk] },
      },
    ],
    tokens,
    subscribers: new SubscriberDirectory(DEFAULT_SUBSCRIBERS),
    proofs: new ProofChecker(),
    addresses: new SubscriberAddresses(new AccessNetwork()),
    nonceRequired: true,
  } as unknown as TokenTrust
  const app = new Koa()
  app.use(handleProblems()).use(requireToken(trust, findExposedApi(NAME), NAME))
  app.use((ctx) => {
    ctx.status = 204
  })
  server = createServer(app.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => server.close())

interface Changes {
  claims?: Record<string, unknown>
  header?: { typ?: string; kid?: string }
  expiresIn?: string
}

async function callApi({ claims = {}, header = {}, expiresIn = '5m' }: Changes): Promise<Response> {
  const token = await new SignJWT({
    iss: ISSUER,
    aud: AUDIENCE,
    client_id: 'skyframe',
    scope: NAME,
    jti: 'known',
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k', ...header })
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(key)
  return fetch(url, { headers: { authorization: `Bearer ${token}` } })
}

describe('an access token with a valid signature (RFC 9068 section 4)', () => {
  it('is accepted when every claim is valid', async () => {
    expect((await callApi({})).status).toBe(204)
  })

  it.each<[string, Changes, number, string]>([
    ['another issuer', { claims: { iss: 'http://localhost:9' } }, 401, 'another issuer'],
    ['an issuer with an extra slash', { claims: { iss: `${ISSUER}/` } }, 401, 'another issuer'],
    ['another audience', { claims: { aud: `${APIS}/other/v1` } }, 401, 'another API'],
    [
      'a list of audiences that contains the right one',
      { claims: { aud: [AUDIENCE, 'x'] } },
      401,
      'another API',
    ],
    ['an expiry in the past', { expiresIn: '-1s' }, 401, 'expired'],
    ['another scope', { claims: { scope: 'other' } }, 403, 'insufficient_scope'],
    [
      'a scope that has the required one as its prefix',
      { claims: { scope: `${NAME}x` } },
      403,
      'scope',
    ],
    ['no scope', { claims: { scope: undefined } }, 403, 'insufficient_scope'],
    ['the type of an ID token', { header: { typ: 'JWT' } }, 401, 'not one of ours'],
    ['the key identifier of another key', { header: { kid: 'other' } }, 401, 'not one of ours'],
    ['no token identifier', { claims: { jti: undefined } }, 401, 'not one of ours'],
    ['a token identifier that was never issued', { claims: { jti: 'x' } }, 401, 'revoked'],
    ['a token identifier of another issuer', { claims: { jti: 'elsewhere' } }, 401, 'revoked'],
    ['an unknown subscriber', { claims: { jti: 'stranger' } }, 401, 'subscriber'],
    [
      'a key binding, when it is sent as a bearer token',
      { claims: { cnf: { jkt: 'x' } } },
      401,
      'bound to a key',
    ],
  ])('is rejected with %s', async (_name, changes, status, words) => {
    const answer = await callApi(changes)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('www-authenticate')).toContain(words)
  })

  it.each(['Basic abc', 'Bearer', 'Bearer a b', 'bearer  x'])(
    'is rejected when the header is "%s"',
    async (authorization) => {
      expect((await fetch(url, { headers: { authorization } })).status).toBe(401)
    },
  )
})
