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

export function revocationFace(
  { issuer, tokens }: AuthorizationServerSettings,
  next: Handler,
): Handler {
  return async (request, answer) => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== PATH) {
      return next(request, answer)
    }
    const form = new URLSearchParams((await request.readBody()).toString('utf8'))
    const jti = identifierOf(form.get('token'))
    if (jti === undefined) return pass(form)
    form.set('token', randomBytes(16).toString('base64url'))
    answer.once('finish', () => {
      const token = tokens.find(jti)
      const own = token?.issuer === issuer && token.clientId === clientOf(form)
      if (answer.statusCode === 200 && own) tokens.revoke(jti)
    })
    return pass(form)

    function pass(body: URLSearchParams) {
      const copy = request.with({ body: body.toString() })
      Object.assign(copy, { originalUrl: Reflect.get(request, 'originalUrl') })
      return next(copy, answer)
    }
  }
}

function identifierOf(token: string | null): string | undefined {
  if (token?.split('.').length !== 3) return undefined
  try {
    return decodeJwt(token).jti
  } catch {
    return undefined
  }
}

/** Whom oidc-provider has authenticated: by its name alone, or by the subject of its assertion. */
function clientOf(form: URLSearchParams): string | undefined {
  const assertion = form.get('client_assertion')
  if (assertion === null) return form.get('client_id') ?? undefined
  return decodeJwt(assertion).sub
}
