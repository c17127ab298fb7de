/**
 * Allows cross-origin calls of the APIs, for a page that got an access token from the broker. The APIs use no
 * cookies, so every origin is allowed; the access token decides. @see Fetch standard, CORS protocol
 */

import type { Middleware } from 'koa'

const EXPOSED = 'Location, WWW-Authenticate, DPoP-Nonce, Retry-After, x-correlator'

export function allowAnyOrigin(): Middleware {
  return async (ctx, next) => {
    ctx.vary('Origin')
    if (ctx.get('origin') !== '') {
      ctx.set('Access-Control-Allow-Origin', '*')
      ctx.set('Access-Control-Expose-Headers', EXPOSED)
    }
    if (ctx.method !== 'OPTIONS' || ctx.get('access-control-request-method') === '') return next()
    ctx.set('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE')
    ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type, DPoP, x-correlator')
    ctx.set('Access-Control-Max-Age', '600')
    ctx.status = 204
  }
}
