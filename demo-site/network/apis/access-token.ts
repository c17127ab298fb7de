/**
 * Verifies access tokens at the API exposing functions: issuer, audience, scope, expiry, key binding, and
 * revocation by the network.
 * @see RFC 9068 section 4, RFC 6750 section 3, RFC 9449 section 7, TS 33.122 clause 6.5.3
 */

import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Context, Middleware } from 'koa'
import type { AuthorizationServer } from '../authorization-function/authorization-function.ts'
import type { IssuedToken, IssuedTokens } from '../authorization-function/issued-tokens.ts'
import { getAudience } from '../authorization-function/resources.ts'
import { parseApiNames } from '../capif-core/scope.ts'
import type { RecordedRequest } from '../http/recorded-request.ts'
import type { Subscriber, SubscriberDirectory } from '../subscribers.ts'
import type { SubscriberAddresses } from '../user-plane/addresses.ts'
import { AccessTokenError } from './access-token-error.ts'
import type { ExposedApi } from './catalogue.ts'
import { type ProofChecker, ProofError } from './dpop-proof.ts'

/** Caller of an API, as its access token identifies it. Handlers read it after verification. */
export interface Caller {
  clientId: string
  subscriber: Subscriber
  scopes: ReadonlySet<string>
  token: IssuedToken
}

export interface TokenTrust {
  servers: readonly AuthorizationServer[]
  tokens: IssuedTokens
  subscribers: SubscriberDirectory
  proofs: ProofChecker
  addresses: SubscriberAddresses
  /** Whether a DPoP proof has to contain a nonce of this server. */
  nonceRequired: boolean
}

const callers = new WeakMap<Context, Caller>()

/** Returns the caller of a request that has passed `requireToken`. */
export function callerOf(ctx: Context): Caller {
  const caller = callers.get(ctx)
  if (!caller) throw new AccessTokenError(401)
  return caller
}

/** Creates middleware that rejects a request without an access token for this API and scope. */
export function requireToken(trust: TokenTrust, api: ExposedApi, scope: string): Middleware {
  return async (ctx, next) => {
    callers.set(ctx, await verifyAccessToken(ctx, trust, api, scope))
    await next()
  }
}

async function verifyAccessToken(
  ctx: Context,
  trust: TokenTrust,
  api: ExposedApi,
  scope: string,
): Promise<Caller> {
  const header = ctx.get('authorization')
  if (header === '') throw new AccessTokenError(401)
  const [scheme = '', value, ...rest] = header.split(' ')
  const dpop = scheme.toLowerCase() === 'dpop'
  if ((!dpop && scheme.toLowerCase() !== 'bearer') || !value || rest.length > 0) {
    throw new AccessTokenError(
      401,
      'invalid_token',
      'the authorization header is no bearer or DPoP token',
    )
  }
  const { payload, server } = await verifySignature(value, trust)
  const { profile, issuer } = server.settings
  const audience = getAudience(server.settings, api.path)
  if (payload.iss !== (profile === 'capif' ? payload.client_id : issuer)) {
    throw new AccessTokenError(401, 'invalid_token', 'the access token has another issuer')
  }
  if (payload.aud !== audience || !api.profiles.includes(profile)) {
    throw new AccessTokenError(401, 'invalid_token', 'the access token is for another API')
  }
  await checkBinding(ctx, trust, { payload, value, dpop, profile })
  const token = trust.tokens.find(String(payload.jti))
  if (!token || token.revoked || token.issuer !== issuer) {
    throw new AccessTokenError(401, 'invalid_token', 'the access token was revoked')
  }
  const subscriber = trust.subscribers.byId(token.accountId)
  if (!subscriber) throw new AccessTokenError(401, 'invalid_token', 'the subscriber is unknown')
  const granted = typeof payload.scope === 'string' ? payload.scope : ''
  const scopes = new Set(granted.split(' '))
  if (!(profile === 'capif' ? parseApiNames(granted).includes(api.name) : scopes.has(scope))) {
    throw new AccessTokenError(403, 'insufficient_scope', 'the API needs another scope', { scope })
  }
  if (api.tokenUse === 'single-use' && token.uses > 0) {
    throw new AccessTokenError(401, 'invalid_token', 'the access token was used before')
  }
  token.uses += 1
  trust.addresses.recordAddress(ctx.req.socket.remoteAddress, subscriber.id)
  return { clientId: token.clientId, subscriber, scopes, token }
}

async function verifySignature(
  value: string,
  trust: TokenTrust,
): Promise<{ payload: JWTPayload; server: AuthorizationServer }> {
  const keys = trust.servers.flatMap(({ jwks }) => jwks.keys)
  try {
    const { payload, protectedHeader } = await jwtVerify(value, createLocalJWKSet({ keys }), {
      typ: 'at+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'iss', 'aud'],
      currentDate: new Date(Date.now()),
    })
    const server = trust.servers.find(({ jwks }) =>
      jwks.keys.some(({ kid }) => kid === protectedHeader.kid),
    )
    if (!server)
      throw new AccessTokenError(401, 'invalid_token', 'the access token is not one of ours')
    return { payload, server }
  } catch (error) {
    if (error instanceof AccessTokenError) throw error
    throw new AccessTokenError(
      401,
      'invalid_token',
      error instanceof errors.JWTExpired
        ? 'the access token has expired'
        : 'the access token is not one of ours',
    )
  }
}

/** Checks the DPoP proof of a key-bound token, and rejects such a token when it is sent as a bearer token. */
async function checkBinding(
  ctx: Context,
  trust: TokenTrust,
  sent: { payload: JWTPayload; value: string; dpop: boolean; profile: string },
): Promise<void> {
  const thumbprint = Reflect.get(Object(sent.payload.cnf), 'jkt')
  if (typeof thumbprint !== 'string') {
    if (!sent.dpop) return
    throw new AccessTokenError(401, 'invalid_token', 'the access token is not bound to a key', {
      dpop: true,
    })
  }
  if (!sent.dpop) {
    throw new AccessTokenError(401, 'invalid_token', 'the access token is bound to a key', {
      dpop: true,
    })
  }
  const camara = sent.profile === 'camara'
  const request = ctx.req as RecordedRequest
  try {
    await trust.proofs.checkProof(ctx.get('dpop'), {
      method: ctx.method,
      url: `http://${ctx.host}${ctx.path}`,
      accessToken: sent.value,
      thumbprint,
      nonceRequired: trust.nonceRequired,
      query: camara ? ctx.querystring : undefined,
      body: camara && ctx.method === 'POST' ? await request.readBody() : undefined,
    })
    ctx.set('DPoP-Nonce', trust.proofs.createNonce())
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    throw new AccessTokenError(401, error.code, error.message, {
      dpop: true,
      nonce: trust.proofs.createNonce(),
    })
  }
}
