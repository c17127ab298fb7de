/**
 * Serves the UE application: the built page and its `/config.json`. The server takes no part in the flow and never
 * sees a code, a verifier or a token.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Koa from 'koa'
import sirv from 'sirv'
import { CONFIG_PATH, type DemoSiteConfig, parseConfig } from '../app/config.ts'
import { startServer } from '../network/http/serve.ts'
import { RequestLog } from '../network/request-log.ts'
import { securityHeaders } from './headers.ts'

const BUILT_PAGE = fileURLToPath(new URL('../../dist/demo-site', import.meta.url))

export const SERVER_NAME = 'demo-site'

export interface DemoSiteOptions {
  /** Default: any free port. */
  port?: number
  /** Default: `127.0.0.1`. The authorization function uses `localhost`, so the two share no cookie. */
  host?: string
  /** Configuration, or a function that returns it when the network starts after this server. */
  config: DemoSiteConfig | (() => DemoSiteConfig)
  /** Folder of the built page. Default: `dist/demo-site`. */
  root?: string
  /** Log to write to, for instance that of the network. Default: a new one. */
  log?: RequestLog
}

export interface DemoSite {
  /** Origin, in the form of `location.origin`. */
  origin: string
  log: RequestLog
  close(): Promise<void>
}

/**
 * Starts the demo site.
 *
 * @throws Error when the page is not built or the port is not available; the message is one line.
 */
export async function startDemoSite(options: DemoSiteOptions): Promise<DemoSite> {
  const { port = 0, host = '127.0.0.1', root = BUILT_PAGE, log = new RequestLog() } = options
  if (!existsSync(join(root, 'index.html'))) {
    throw new Error('the demo site was not built: run "npx vite build --mode demo-site"')
  }
  const server = await startServer({ name: SERVER_NAME, host, port, log })
  const origin = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${server.port}`).origin
  const config = () =>
    parseConfig(typeof options.config === 'function' ? options.config() : options.config)
  server.handle(createApp(origin, config, root).callback())
  return { origin, log, close: server.close }
}

function createApp(origin: string, config: () => DemoSiteConfig, root: string): Koa {
  const files = sirv(root, {
    etag: true,
    setHeaders(answer, pathname) {
      const isHashedAsset = pathname.startsWith('/assets/')
      answer.setHeader(
        'Cache-Control',
        isHashedAsset ? 'public, max-age=31536000, immutable' : 'no-cache',
      )
    },
  })
  const app = new Koa()
  app.use(async (context, next) => {
    context.set(securityHeaders(config()))
    if (context.host !== new URL(origin).host) {
      // Rejects a host name that an attacker resolves to this machine (DNS rebinding).
      context.status = 421
    } else if (context.method !== 'GET' && context.method !== 'HEAD') {
      context.status = 405
      context.set('Allow', 'GET, HEAD')
    } else await next()
  })
  app.use(async (context, next) => {
    if (context.path !== CONFIG_PATH) return next()
    context.set('Cache-Control', 'no-store')
    context.body = config()
  })
  app.use(async (context) => {
    await new Promise<void>((resolve) => {
      context.res.once('close', resolve)
      context.respond = false
      files(context.req, context.res, () => {
        context.respond = true
        resolve()
      })
    })
  })
  // Koa would print errors of clients; the request log contains them.
  app.silent = true
  return app
}
