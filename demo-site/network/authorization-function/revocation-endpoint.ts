/**
 * Revocation of access tokens that are JWTs, which oidc-provider leaves to their expiry. It still
 * authenticates the client: it is asked about a token that it cannot find, and when it says 200, the
 * token is taken back here. @see RFC 7009 section 2
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

/** Whom oidc-provider has authenticated: by its name alone, or by the subject of its assertion. */
function readClientId(form: URLSearchParams): string | undefined {
  const assertion = form.get('client_assertion')
  if (assertion === null) return form.get('client_id') ?? undefined
  return decodeJwt(assertion).sub
}
