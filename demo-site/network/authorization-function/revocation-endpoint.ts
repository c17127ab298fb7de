/**
 * Revokes access tokens that are JWTs, which oidc-provider does not do: it lets them expire. It still authenticates
 * the client. The request is forwarded with a random token that oidc-provider cannot find; when it answers 200,
 * the JWT is revoked here. @see RFC 7009 section 2
 */

import { randomBytes } from 'node:crypto'
import { decodeJwt } from 'jose'
import type { Handler } from '../http/serve.ts'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'

const PATH = '/token/revocation'

export function createRevocationEndpoint(
  { issuer, tokens }: AuthorizationServerSettings,
  next: Handler,
): Handler {
  return async (request, answer) => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== PATH) {
      return next(request, answer)
    }
    const form = new URLSearchParams((await request.readBody()).toString('utf8'))
    const jti = readTokenId(form.get('token'))
    if (jti === undefined) return forwardRequest(form)
    form.set('token', randomBytes(16).toString('base64url'))
    answer.once('finish', () => {
      const token = tokens.find(jti)
      const isOwnToken = token?.issuer === issuer && token.clientId === readClientId(form)
      if (answer.statusCode === 200 && isOwnToken) tokens.revoke(jti)
    })
    return forwardRequest(form)

    function forwardRequest(body: URLSearchParams) {
      const copy = request.copyWith({ body: body.toString() })
      Object.assign(copy, { originalUrl: Reflect.get(request, 'originalUrl') })
      return next(copy, answer)
    }
  }
}

function readTokenId(token: string | null): string | undefined {
  if (token?.split('.').length !== 3) return undefined
  try {
    return decodeJwt(token).jti
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
