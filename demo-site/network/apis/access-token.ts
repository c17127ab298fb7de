/**
 * How an API exposing function judges an access token: who issued it, for which API, which scope,
 * until when, and whether the network has taken it back. @see RFC 9068 section 4, RFC 6750 section 3
 */

import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Context, Middleware } from 'koa'
import type { AuthorizationServer } from '../authorization-function/authorization-function.ts'
import type { IssuedToken, IssuedTokens } from '../authorization-function/issued-tokens.ts'
import type { Subscriber, SubscriberDirectory } from '../subscribers.ts'
import { Problem } from './problem-details.ts'

/** What a handler may know about its caller, once the token is accepted. */
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
}

export interface TokenDemand {
  /** What the token must be for: the base URL of the API. @see RFC 8707 section 2 */
  resource: string
  scope: string
}

const callers = new WeakMap<Context, Caller>()

/** The caller of a request that `requireToken` has let through. */
export function callerOf(ctx: Context): Caller {
  const caller = callers.get(ctx)
  if (!caller) throw new Problem(401)
  return caller
}

/** Lets a request pass only with an access token that meets the demand. */
export function requireToken(trust: TokenTrust, demand: TokenDemand): Middleware {
  return async (ctx, next) => {
    callers.set(ctx, await judge(ctx.get('authorization'), trust, demand))
    await next()
  }
}

async function judge(header: string, trust: TokenTrust, demand: TokenDemand): Promise<Caller> {
  if (header === '') throw challenge(401)
  const [scheme, value, ...rest] = header.split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || !value || rest.length > 0) {
    throw challenge(401, 'invalid_token', 'the authorization header is not a bearer token')
  }
  const payload = await verify(value, trust, demand)
  const token = trust.tokens.find(String(payload.jti))
  if (!token || token.revoked) {
    throw challenge(401, 'invalid_token', 'the access token was revoked')
  }
  const subscriber = trust.subscribers.byId(token.accountId)
  if (!subscriber) throw challenge(401, 'invalid_token', 'the subscriber is unknown')
  const scopes = new Set(typeof payload.scope === 'string' ? payload.scope.split(' ') : [])
  if (!scopes.has(demand.scope)) {
    throw challenge(403, 'insufficient_scope', 'the API needs another scope', demand.scope)
  }
  token.uses += 1
  return { clientId: token.clientId, subscriber, scopes, token }
}

async function verify(value: string, trust: TokenTrust, demand: TokenDemand): Promise<JWTPayload> {
  const keys = trust.servers.flatMap(({ jwks }) => jwks.keys)
  try {
    const { payload, protectedHeader } = await jwtVerify(value, createLocalJWKSet({ keys }), {
      typ: 'at+jwt',
      audience: demand.resource,
      algorithms: ['ES256'],
      requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'iss'],
      currentDate: new Date(Date.now()),
    })
    const issuer = trust.servers.find(({ jwks }) =>
      jwks.keys.some(({ kid }) => kid === protectedHeader.kid),
    )?.settings.issuer
    if (payload.iss !== issuer) {
      throw challenge(401, 'invalid_token', 'the access token has another issuer')
    }
    return payload
  } catch (error) {
    if (error instanceof Problem) throw error
    throw challenge(401, 'invalid_token', reasonOf(error))
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the access token has expired'
  if (error instanceof errors.JWTClaimValidationFailed) {
    return `the access token has an unacceptable claim: ${error.claim}`
  }
  return 'the access token is not one of ours'
}

/** @see RFC 6750 section 3: no error code when no authentication was tried */
function challenge(status: 401 | 403, error?: string, detail?: string, scope?: string): Problem {
  const parameters = [
    'realm="northbound"',
    ...(error ? [`error="${error}"`] : []),
    ...(detail ? [`error_description="${detail}"`] : []),
    ...(scope ? [`scope="${scope}"`] : []),
  ]
  return new Problem(
    status,
    { detail: detail ?? 'an access token is required', ...(error ? { cause: error } : {}) },
    { 'WWW-Authenticate': `Bearer ${parameters.join(', ')}` },
  )
}
