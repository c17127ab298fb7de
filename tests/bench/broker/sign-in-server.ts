/**
 * Starts the authorization server of the sign-ins that are measured, for Northkey and for the closest peer alike.
 * The subscriber has a session and nothing is asked, so a measurement contains the clients and not a server. It also
 * serves the page of the peer, and an empty page on any host name of this machine.
 */

import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'vite'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'

const SERVICE_WORKER = join(
  import.meta.dirname,
  '../../../node_modules/@axa-fr/oidc-client-service-worker/dist/OidcServiceWorker.js',
)

const CLIENT_ID = 'bench'

export interface SignInServer {
  /** Origin of the page of the peer. The authorization server has another: no service worker serves it. */
  origin: string
  issuer: string
  port: number
  /** Paths of the requests to the authorization server, in order. */
  requests: string[]
  /** Creates the profile of this server, for applications at these origins that need no consent window. */
  createOperator(origins: string[], resource: string): OperatorProfile
  close(): void
}

async function bundlePeer(): Promise<string> {
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
  const claims = {
    iss: issuer,
    aud: CLIENT_ID,
    sub: 'subscriber',
    iat: now,
    exp: now + 3600,
    nonce,
  }
  return `${encodePart({ alg: 'ES256', typ: 'JWT' })}.${encodePart(claims)}.c2lnbmF0dXJl`
}

/** @param api Base URL of the API that the peer calls. */
export async function startSignInServer(api: string): Promise<SignInServer> {
  const script = await bundlePeer()
  const worker = await readFile(SERVICE_WORKER, 'utf8')
  const requests: string[] = []
  let origin = ''
  let issuer = ''
  /** The nonce of the last authorization request: one subscriber signs in at a time. */
  let nonce: string | null = null

  const send = (response: ServerResponse, type: string, body: string) =>
    response
      .writeHead(200, {
        'content-type': type,
        'cache-control': 'no-store',
        'access-control-allow-origin': '*',
      })
      .end(body)

  function serveAuthorization(url: URL, response: ServerResponse): void {
    requests.push(url.pathname)
    switch (url.pathname) {
      case '/as/authorize': {
        const { searchParams: asked } = url
        nonce = asked.get('nonce')
        const back = new URL(asked.get('redirect_uri') ?? '/', origin)
        back.searchParams.set('code', 'code')
        back.searchParams.set('state', asked.get('state') ?? '')
        back.searchParams.set('iss', issuer)
        response.writeHead(302, { location: back.href, 'cache-control': 'no-store' }).end()
        return
      }
      case '/as/token': {
        const tokens = {
          access_token: encodePart({ token: 'x'.repeat(600) }),
          token_type: 'Bearer',
          expires_in: 3600,
          refresh_token: 'refresh',
          ...(nonce !== null && { id_token: createIdToken(issuer, nonce) }),
        }
        send(response, 'application/json', JSON.stringify(tokens))
        return
      }
      default: {
        const metadata = {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          userinfo_endpoint: `${issuer}/userinfo`,
          end_session_endpoint: `${issuer}/end`,
          revocation_endpoint: `${issuer}/revoke`,
          code_challenge_methods_supported: ['S256'],
          authorization_response_iss_parameter_supported: true,
        }
        send(response, 'application/json', JSON.stringify(metadata))
      }
    }
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', origin)
    const { pathname } = url
    if (request.method === 'OPTIONS') {
      response
        .writeHead(204, {
          'access-control-allow-origin': '*',
          'access-control-allow-headers': '*',
        })
        .end()
    } else if (pathname.startsWith('/as/') || pathname.startsWith('/.well-known/')) {
      request.resume().on('end', () => serveAuthorization(url, response))
    } else if (pathname === '/OidcServiceWorker.js') send(response, 'text/javascript', worker)
    else if (pathname === '/OidcTrustedDomains.js') {
      const trusted = { default: { oidcDomains: [issuer], accessTokenDomains: [api] } }
      send(response, 'text/javascript', `const trustedDomains = ${JSON.stringify(trusted)}`)
    } else if (pathname === '/peer.js') send(response, 'text/javascript', script)
    else if (pathname === '/empty' || pathname === '/redirect-uri') {
      send(response, 'text/html', '<!doctype html><title>Empty</title>')
    } else {
      send(
        response,
        'text/html',
        `<!doctype html><title>Peer</title><script>setting = ${JSON.stringify({ authority: issuer, api })}</script><script type="module" src="/peer.js"></script>`,
      )
    }
  })
  // Every address of this machine: the empty page is measured on hosts with and without scripts of extensions.
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  origin = `http://127.0.0.1:${port}`
  issuer = `http://localhost:${port}/as`
  return {
    origin,
    issuer,
    port,
    requests,
    createOperator: (origins, resource) => {
      const apis = [{ resource, scope: 'read' }]
      return {
        issuer,
        name: 'Bench',
        profile: 'oauth',
        apis: [{ resource, name: 'Bench', scopes: [{ scope: 'read' }] }],
        applications: [
          {
            clientId: CLIENT_ID,
            name: 'Bench',
            origins,
            requireConsent: false,
            consentWaiver: { modes: ['fetch', 'token'], apis },
          },
        ],
      }
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
