/**
 * Authorization server of the flow tests: oidc-provider on loopback, a subscriber who is signed in without
 * interaction, and a user agent that follows redirects and stores cookies.
 */

import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import { type ClientMetadata, type Configuration, Provider } from 'oidc-provider'
import type { Effects } from '../../shared/core/index.ts'

export const REDIRECT_URI = 'https://broker.example/issuer'
export const QOS = 'https://api.example/qos/v1'
export const LOCATION = 'https://api.example/location/v1'
export const SCOPES: Record<string, string> = { [QOS]: 'qos', [LOCATION]: 'location' }

export interface AuthorizationServer {
  issuer: string
  provider: Provider
  /** Opens an authorization URL like a browser, and returns the redirect to the broker. */
  visit(authorizationUrl: string, jar?: CookieJar): Promise<string>
  /** Parameters of the requests to the authorization endpoint, in order of arrival. */
  authorizationRequests: URLSearchParams[]
  close(): Promise<void>
}

export interface ServerOptions {
  clients?: ClientMetadata[]
  features?: Configuration['features']
  /** Called before the server handles a request. Returns true if it has answered the request itself. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean
  accountId?: string
}

export const publicClient = (clientId: string): ClientMetadata => ({
  client_id: clientId,
  redirect_uris: [REDIRECT_URI],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  id_token_signed_response_alg: 'ES256',
})

export async function startAuthorizationServer(
  options: ServerOptions = {},
): Promise<AuthorizationServer> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = await createProvider(issuer, options)
  const authorizationRequests: URLSearchParams[] = []
  const handle = provider.callback()
  server.on('request', (request, response) => {
    if (options.intercept?.(request, response)) return
    const url = new URL(request.url ?? '/', issuer)
    if (url.pathname === '/auth') authorizationRequests.push(url.searchParams)
    if (!url.pathname.startsWith('/interaction/')) return void handle(request, response)
    const login = { accountId: options.accountId ?? 'subscriber-1' }
    void provider.interactionFinished(request, response, { login })
  })
  return {
    issuer,
    provider,
    authorizationRequests,
    visit: (url, jar = new Map()) => visit(url, issuer, jar),
    close: () => closeServer(server),
  }
}

async function createProvider(issuer: string, options: ServerOptions): Promise<Provider> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kid: 'as-1', alg: 'ES256', use: 'sig' }
  return new Provider(issuer, {
    clients: options.clients ?? [publicClient('app')],
    jwks: { keys: [jwk as never] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access'],
    enabledJWA: {
      idTokenSigningAlgValues: ['ES256'],
      clientAuthSigningAlgValues: ['ES256'],
      dPoPSigningAlgValues: ['ES256'],
    },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    async loadExistingGrant(ctx) {
      const { client, session, params } = ctx.oidc
      const grant = new ctx.oidc.provider.Grant({
        clientId: client?.clientId,
        accountId: session?.accountId,
      } as never)
      grant.addOIDCScope('openid offline_access')
      for (const resource of [params?.resource ?? []].flat() as string[]) {
        grant.addResourceScope(resource, String(params?.scope))
      }
      await grant.save()
      return grant
    },
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: SCOPES[resource] ?? '',
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
        useGrantedResource: () => true,
      },
      ...options.features,
    },
  })
}

export function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

export type CookieJar = Map<string, string>

async function visit(start: string, issuer: string, jar: CookieJar): Promise<string> {
  let url = start
  for (let hop = 0; hop < 10; hop++) {
    if (!url.startsWith(`${issuer}/`)) return url
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';', 1)[0]?.split('=', 2) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`the server shows a page with ${response.status}`)
    url = new URL(location, url).href
  }
  throw new Error('too many redirects')
}

export interface Recorded {
  url: string
  form: URLSearchParams
  headers: Headers
  status: number
}

/** Effects that record the requests that are sent. */
export function recordingEffects(): Effects & { sent: Recorded[]; to(path: string): Recorded[] } {
  const sent: Recorded[] = []
  return {
    sent,
    to: (path) => sent.filter(({ url }) => new URL(url).pathname === path),
    now: () => Date.now(),
    allowInsecureLoopback: true,
    fetch: async (input, init) => {
      const response = await fetch(input, init)
      sent.push({
        url: String(input),
        form: new URLSearchParams(String(init?.body ?? '')),
        headers: new Headers(init?.headers),
        status: response.status,
      })
      return response
    },
  }
}
