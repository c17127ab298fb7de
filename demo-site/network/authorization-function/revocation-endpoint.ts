/**
 * Revokes access tokens that are JWTs, which oidc-provider does not do: it rejects them. It still authenticates the
 * client. The request is forwarded with a random token that oidc-provider cannot find; when it answers 200, the JWT
 * is revoked here, if this server has signed it and issued it to this client. Any other JWT is an invalid token,
 * which is no error of the request. @see RFC 7009 sections 2 and 2.2
 */

import { randomBytes } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, type JWK, jwtVerify } from 'jose'
import type { Handler } from '../http/serve.ts'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'

const PATH = '/token/revocation'
/** Parts of a signed JWT, and of an encrypted one. */
const PARTS: readonly number[] = [3, 5]

/** @param getKeys The public keys of this server, newest first. */
export function createRevocationEndpoint(
  { issuer, tokens }: AuthorizationServerSettings,
  getKeys: () => JWK[],
  next: Handler,
): Handler {
  return async (request, answer) => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== PATH) {
      return next(request, answer)
    }
    const form = new URLSearchParams((await request.readBody()).toString('utf8'))
    const value = form.get('token') ?? ''
    if (!PARTS.includes(value.split('.').length)) return forwardRequest(form)
    form.set('token', randomBytes(16).toString('base64url'))
    const jti = await readTokenId(value, getKeys())
    answer.once('finish', () => {
      const token = jti === undefined ? undefined : tokens.find(jti)
      const isOwnToken = token?.issuer === issuer && token.clientId === readClientId(form)
      if (answer.statusCode === 200 && isOwnToken) tokens.revoke(token.jti)
    })
    return forwardRequest(form)

    function forwardRequest(body: URLSearchParams) {
      const copy = request.copyWith({ body: body.toString() })
      Object.assign(copy, { originalUrl: Reflect.get(request, 'originalUrl') })
      return next(copy, answer)
    }
  }
}

/** Reads the id of a token that this server has signed; `undefined` for any other token, and an expired one. */
async function readTokenId(token: string, keys: JWK[]): Promise<string | undefined> {
  try {
    return (await jwtVerify(token, createLocalJWKSet({ keys }))).payload.jti
  } catch {
    return undefined
  }
}

/** Reads the client that oidc-provider has authenticated: `client_id`, or the subject of the assertion. */
function readClientId(form: URLSearchParams): string | undefined {
  const assertion = form.get('client_assertion')
  if (assertion === null) return form.get('client_id') ?? undefined
  return decodeJwt(assertion).sub
}
