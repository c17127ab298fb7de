/**
 * Starts the closest peer for the same run: @axa-fr/oidc-client, whose service worker keeps the token away
 * from the page, as the broker does. Its authorization server has only what the login of the peer requires.
 */

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, Page } from 'puppeteer-core'
import { build } from 'vite'
import { until } from '../../browser/support/pages.ts'

const SERVICE_WORKER = join(
  import.meta.dirname,
  '../../../node_modules/@axa-fr/oidc-client-service-worker/dist/OidcServiceWorker.js',
)

export interface Peer {
  measureSlices(path: 'small' | 'large', how: { slices: number; calls: number }): Promise<number[]>
  close(): Promise<void>
}

interface PeerWindow {
  peer: { measureSlices(path: string, how: { slices: number; calls: number }): Promise<number[]> }
}

async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: {
        input: join(import.meta.dirname, 'peer.js'),
        output: { format: 'es', codeSplitting: false },
      },
    },
  })
  const { output } = (Array.isArray(result) ? result[0] : result) as { output: { code?: string }[] }
  return output.map((chunk) => chunk.code ?? '').join('')
}

const encodePart = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * Creates an ID token with a dummy signature: the peer reads the claims and relies on TLS for the
 * authenticity.
 */
function createIdToken(issuer: string, nonce: string): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, aud: 'bench', sub: 'subscriber', iat: now, exp: now + 3600, nonce }
  return `${encodePart({ alg: 'ES256', typ: 'JWT' })}.${encodePart(claims)}.c2lnbmF0dXJl`
}

/** @param api Base URL of the API that is called. */
export async function startPeer(browser: Browser, api: string): Promise<Peer> {
  const script = await bundle()
  const worker = await readFile(SERVICE_WORKER, 'utf8')
  let authority = ''
  let nonce = ''
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', authority)
    const send = (type: string, body: string) =>
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
    switch (url.pathname) {
      case '/OidcServiceWorker.js':
        return send('text/javascript', worker)
      case '/OidcTrustedDomains.js': {
        const trusted = { default: { oidcDomains: [authority], accessTokenDomains: [api] } }
        return send('text/javascript', `const trustedDomains = ${JSON.stringify(trusted)}`)
      }
      case '/peer.js':
        return send('text/javascript', script)
      case '/as/authorize': {
        nonce = url.searchParams.get('nonce') ?? ''
        const back = new URL(url.searchParams.get('redirect_uri') ?? '/', authority)
        back.searchParams.set('code', 'code')
        back.searchParams.set('state', url.searchParams.get('state') ?? '')
        return response.writeHead(302, { location: back.href }).end()
      }
      case '/as/token':
        return send(
          'application/json',
          JSON.stringify({
            access_token: encodePart({ token: 'x'.repeat(600) }),
            token_type: 'Bearer',
            expires_in: 3600,
            refresh_token: 'refresh',
            id_token: createIdToken(authority, nonce),
            scope: 'openid offline_access',
          }),
        )
      case '/':
      case '/callback':
        return send(
          'text/html',
          `<!doctype html><title>Peer</title><script>setting = ${JSON.stringify({ authority, api })}</script><script type="module" src="/peer.js"></script>`,
        )
      default:
        return response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  authority = `${origin}/as`
  const page: Page = await browser.newPage()
  await page.goto(origin)
  // The page navigates to the login and back in the meantime.
  const title = () => page.title().catch(() => '')
  await until('the login of the peer', async () => (await title()) === 'ready', 20_000)
  return {
    measureSlices: (path, how) =>
      page.evaluate(
        (apiPath, options) =>
          (window as unknown as PeerWindow).peer.measureSlices(apiPath, options),
        path,
        how,
      ),
    async close() {
      await page.close()
      server.closeAllConnections()
      server.close()
    },
  }
}
