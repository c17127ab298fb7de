/**
 * The authorization function as a whole: one HTTP server, one authorization server per issuer on it.
 * Issuers differ by path, so well-known addresses are looked for in both places that clients try.
 */

import { createHmac } from 'node:crypto'
import type { Provider } from 'oidc-provider'
import type { Handler, RunningServer } from '../http/serve.ts'
import { mountInteractions } from './interactions.ts'
import {
  type AuthorizationServerSettings,
  createProvider,
  createSigningKey,
  createState,
} from './provider.ts'
import { STYLE_SHEET } from './screens/style.ts'

/** One issuer of the authorization function. */
export interface AuthorizationServer {
  readonly settings: AuthorizationServerSettings
  /** Public keys that its tokens verify with. @see RFC 7517 section 5 */
  readonly jwks: { keys: import('jose').JWK[] }
}

/** Starts the issuers and puts them on the server. */
export async function startAuthorizationFunction(
  server: RunningServer,
  all: readonly AuthorizationServerSettings[],
): Promise<AuthorizationServer[]> {
  const mounted = await Promise.all(all.map(mount))
  server.handle(dispatcher(mounted))
  return mounted.map(({ settings, jwks }) => ({ settings, jwks }))
}

interface Mounted extends AuthorizationServer {
  path: string
  handler: Handler
}

async function mount(settings: AuthorizationServerSettings): Promise<Mounted> {
  const key = await createSigningKey()
  const provider = await createProvider(settings, createState(), key)
  mountInteractions(provider, settings)
  mountAssets(provider)
  const callback = provider.callback()
  return {
    settings,
    jwks: { keys: [key.publicJwk] },
    path: new URL(settings.issuer).pathname.replace(/\/$/, ''),
    handler: (request, answer) => callback(request, answer),
  }
}

function mountAssets(provider: Provider): void {
  const tag = `"${createHmac('sha256', 'style').update(STYLE_SHEET).digest('base64url')}"`
  provider.use(async (ctx, next) => {
    if (ctx.path !== '/assets/operator.css') return next()
    ctx.type = 'css'
    ctx.set('Cache-Control', 'no-cache')
    ctx.set('X-Content-Type-Options', 'nosniff')
    ctx.set('ETag', tag)
    ctx.status = 200
    ctx.body = STYLE_SHEET
    if (ctx.fresh) ctx.status = 304
  })
}

const WELL_KNOWN = /^\/\.well-known\/(oauth-authorization-server|openid-configuration)(\/.*)?$/

/** Finds the issuer that a request is for; the longest path wins. */
function dispatcher(mounted: readonly Mounted[]): Handler {
  const byLength = [...mounted].sort((a, b) => b.path.length - a.path.length)
  return (request, answer) => {
    const url = request.url ?? '/'
    const [pathname = '/', query] = url.split('?', 2)
    const wellKnown = WELL_KNOWN.exec(pathname)
    const path = wellKnown ? (wellKnown[2] ?? '') : pathname
    const target = byLength.find((one) =>
      wellKnown ? one.path === path : path === one.path || path.startsWith(`${one.path}/`),
    )
    if (!target) {
      answer.writeHead(404).end()
      return
    }
    // RFC 8414 section 3.1 puts the well-known part before the issuer's path.
    const local = wellKnown ? `/.well-known/${wellKnown[1]}` : path.slice(target.path.length) || '/'
    Object.assign(request, { originalUrl: url })
    request.url = query === undefined ? local : `${local}?${query}`
    return target.handler(request, answer)
  }
}
