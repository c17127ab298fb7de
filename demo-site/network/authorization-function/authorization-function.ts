/**
 * Runs the authorization function: one HTTP server with one authorization server per issuer, and the pages that
 * belong to no issuer (phones, account). Issuers differ by path. Well-known documents are served at both
 * locations that clients try.
 */

import type { JWK } from 'jose'
import type { Provider } from 'oidc-provider'
import { createCapifCore } from '../capif-core/capif-core.ts'
import type { CapifNotifications } from '../capif-notifications.ts'
import type { Handler, RunningServer } from '../http/serve.ts'
import type { Revocation } from '../revocation.ts'
import { MemoryAdapter } from './adapter.ts'
import { mountAssets } from './assets.ts'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'
import { mountInteractions } from './interactions.ts'
import { createSigningKey, type SigningKey } from './keys.ts'
import { mountMetadata } from './metadata.ts'
import { createProvider, createServerState } from './provider.ts'
import { createRevocationEndpoint } from './revocation-endpoint.ts'
import { getBasePath } from './screens/render.ts'

/** One issuer of the authorization function. */
export interface AuthorizationServer {
  readonly settings: AuthorizationServerSettings
  /** Public keys that verify its tokens, newest first. @see RFC 7517 section 5 */
  readonly jwks: { keys: JWK[] }
  readonly provider: Provider
  /** Name of a client, as shown to the subscriber. */
  clientName(clientId: string): Promise<string>
  /** Signs with a new key from now on; tokens that the previous key signed stay valid. */
  rotateKeys(): Promise<void>
  /** Ends a grant, its refresh tokens, its access tokens and the stored authorization. */
  revokeGrant(grantId: string): Promise<void>
  readonly handler: Handler
  /** Notifies the client of a revocation, if it has subscribed to notifications. */
  notify(revocation: Revocation): void
}

export async function createAuthorizationServer(
  settings: AuthorizationServerSettings,
  notifications: CapifNotifications,
): Promise<AuthorizationServer> {
  const state = createServerState()
  let keys: SigningKey[] = [await createSigningKey()]
  let provider = await buildProvider()
  let callback = provider.callback()

  async function buildProvider(): Promise<Provider> {
    const newProvider = await createProvider(settings, state, keys)
    mountInteractions(newProvider, settings)
    mountAssets(newProvider)
    mountMetadata(newProvider, settings)
    return newProvider
  }

  const callProvider: Handler = (request, answer) => callback(request, answer)
  const core =
    settings.profile === 'capif'
      ? createCapifCore(
          {
            settings,
            notifications,
            adapter: (kind) => new MemoryAdapter(kind, state.store),
            isClient: async (clientId) => (await provider.Client.find(clientId)) !== undefined,
          },
          callProvider,
        )
      : undefined
  return {
    settings,
    get jwks() {
      return { keys: keys.map(({ publicJwk }) => publicJwk) }
    },
    get provider() {
      return provider
    },
    async clientName(clientId) {
      const client = await provider.Client.find(clientId)
      return client?.clientName ?? clientId
    },
    async rotateKeys() {
      keys = [await createSigningKey(), ...keys.slice(0, 1)]
      provider = await buildProvider()
      callback = provider.callback()
    },
    async revokeGrant(grantId) {
      await new MemoryAdapter('Grant', state.store).destroy(grantId)
      await new MemoryAdapter('RefreshToken', state.store).revokeByGrantId(grantId)
      settings.tokens.revokeGrant(grantId)
      settings.authorizations.removeGrant(grantId)
    },
    handler: createRevocationEndpoint(
      settings,
      () => keys.map(({ publicJwk }) => publicJwk),
      core?.handler ?? callProvider,
    ),
    notify: (revocation) => core?.notify(revocation),
  }
}

/** Finds the handler of a path that belongs to no issuer; `undefined` when the path is not one of its own. */
export type FindHandler = (path: string) => Handler | undefined

/** Routes requests of the server to the issuers and to the pages that belong to none. */
export function mountAuthorizationFunction(
  server: RunningServer,
  servers: readonly AuthorizationServer[],
  findHandlers: readonly FindHandler[],
): void {
  const routesByLength = servers
    .map((server) => ({ path: getBasePath(server.settings.issuer), handler: server.handler }))
    .sort((a, b) => b.path.length - a.path.length)

  server.handle((request, answer) => {
    const url = request.url ?? '/'
    const { pathname, query } = splitQuery(url)
    for (const findHandler of findHandlers) {
      const handler = findHandler(pathname)
      if (handler) return handler(request, answer)
    }
    const wellKnown = WELL_KNOWN.exec(pathname)
    const path = wellKnown ? (wellKnown[2] ?? '') : pathname
    const target = routesByLength.find((candidate) =>
      wellKnown
        ? candidate.path === path
        : path === candidate.path || path.startsWith(`${candidate.path}/`),
    )
    if (!target) {
      answer.writeHead(404).end()
      return
    }
    // RFC 8414 section 3.1 puts the well-known part before the path of the issuer.
    const localPath = wellKnown
      ? `/.well-known/${wellKnown[1]}`
      : path.slice(target.path.length) || '/'
    // oidc-provider derives its mount path from the difference between the two.
    Object.assign(request, { originalUrl: `${target.path}${localPath}${query}` })
    request.url = `${localPath}${query}`
    return target.handler(request, answer)
  })
}

const WELL_KNOWN = /^\/\.well-known\/(oauth-authorization-server|openid-configuration)(\/.*)?$/

function splitQuery(url: string): { pathname: string; query: string } {
  const queryStart = url.indexOf('?')
  return queryStart < 0
    ? { pathname: url, query: '' }
    : { pathname: url.slice(0, queryStart), query: url.slice(queryStart) }
}
