/**
 * One authorization function of the network: an authorization server on oidc-provider, for public
 * clients with PKCE. TS 23.222 clause 3.1 says what it is for, RFC 6749 and RFC 7636 how.
 */

import { createHmac, randomBytes } from 'node:crypto'
import { type Configuration, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { ProfileName } from '../../../shared/messages/operator-profile.ts'
import { apiOfResource } from '../apis/catalogue.ts'
import type { NetworkOptions } from '../options.ts'
import type { SubscriberDirectory } from '../subscribers.ts'
import { createStore, MemoryAdapter, type Store } from './adapter.ts'
import type { Authorizations } from './authorizations.ts'
import { clientMetadata } from './clients.ts'
import type { IssuedTokens } from './issued-tokens.ts'
import { createSigningKey, SIGNING_ALGORITHM, type SigningKey } from './keys.ts'
import { renderErrorScreen } from './screens/render.ts'

export interface AuthorizationServerSettings {
  issuer: string
  profile: ProfileName
  apisOrigin: string
  options: NetworkOptions
  subscribers: SubscriberDirectory
  tokens: IssuedTokens
  authorizations: Authorizations
}

/** What outlives a change of keys: records, cookies, and the secret behind pairwise subjects. */
export interface AuthorizationServerState {
  store: Store
  cookieKeys: string[]
  pairwiseSecret: Buffer
}

export function createState(): AuthorizationServerState {
  return {
    store: createStore(),
    cookieKeys: [randomBytes(32).toString('base64url')],
    pairwiseSecret: randomBytes(32),
  }
}

/** Builds the server; its own routes are mounted below the path of the issuer. */
export async function createProvider(
  settings: AuthorizationServerSettings,
  state: AuthorizationServerState,
  key: SigningKey,
): Promise<Provider> {
  const { issuer, options } = settings
  const clients = await Promise.all(
    options.applications.map((one) => clientMetadata(one, issuer, options.redirectBases)),
  )
  const provider = new Provider(issuer, {
    ...configuration(settings, state, key),
    clients,
  })
  rememberIssuedTokens(provider, settings)
  return provider
}

export { createSigningKey }

/** The broker's requests carry the origin of its extension, which Firefox draws anew on each device. */
function isExtension(origin: string): boolean {
  return /^(?:chrome|moz)-extension:\/\//.test(origin)
}

function configuration(
  settings: AuthorizationServerSettings,
  state: AuthorizationServerState,
  key: SigningKey,
): Configuration {
  const { issuer, profile, apisOrigin, subscribers, authorizations } = settings
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const cookieSuffix = `${profile}_${new URL(issuer).port}`
  return {
    adapter: (kind: string) => new MemoryAdapter(kind, state.store),
    jwks: { keys: [key.privateJwk] },
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: SIGNING_ALGORITHM,
      subject_type: 'pairwise',
    },
    clientAuthMethods: ['none'],
    responseTypes: ['code'],
    enabledJWA: { idTokenSigningAlgValues: [SIGNING_ALGORITHM] },
    subjectTypes: ['pairwise'],
    sectorIdentifierUriValidate: () => false,
    pairwiseIdentifier: (_ctx, accountId, client) =>
      createHmac('sha256', state.pairwiseSecret)
        .update(JSON.stringify([client.sectorIdentifier, accountId]))
        .digest('base64url'),
    scopes: ['openid', 'offline_access'],
    // Cookies of one host are shared by all of its ports, so their names tell the servers apart.
    cookies: {
      keys: state.cookieKeys,
      names: {
        session: `session_${cookieSuffix}`,
        interaction: `interaction_${cookieSuffix}`,
        resume: `resume_${cookieSuffix}`,
      },
      long: { httpOnly: true, sameSite: 'lax', path: `${base}/` },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: (_ctx, origin) => isExtension(origin),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf ?? [],
        useGrantedResource: () => true,
        getResourceServerInfo(_ctx, resource) {
          const api = apiOfResource(resource, profile, apisOrigin)
          if (!api) throw new errors.InvalidTarget()
          return {
            scope: api.scopes.map(({ scope }) => scope).join(' '),
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: settings.options.accessTokenSeconds ?? 600,
            jwt: { sign: { alg: SIGNING_ALGORITHM } },
          }
        },
      },
    },
    interactions: { url: (_ctx, interaction) => `${base}/interaction/${interaction.uid}` },
    findAccount: (_ctx, accountId) =>
      subscribers.byId(accountId) && {
        accountId,
        claims: () => ({ sub: accountId }),
      },
    async loadExistingGrant(ctx) {
      const { client, session, account, provider } = ctx.oidc
      const stored =
        client && account && authorizations.find(account.accountId, client.clientId)?.grantId
      const grantId = ctx.oidc.result?.consent?.grantId ?? stored
      if (grantId === undefined || !session) return undefined
      return provider.Grant.find(grantId)
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: settings.options.accessTokenSeconds ?? 600,
      AuthorizationCode: 60,
      Grant: 30 * 24 * 3600,
      IdToken: 600,
      Interaction: 3600,
      RefreshToken: 30 * 24 * 3600,
      Session: 14 * 24 * 3600,
    },
    renderError: (ctx, out) => renderErrorScreen(ctx, settings, out),
  }
}

function rememberIssuedTokens(provider: Provider, settings: AuthorizationServerSettings): void {
  const { tokens, authorizations, issuer } = settings
  provider.on('access_token.issued', (token) => {
    const ctx = Provider.ctx as KoaContextWithOIDC | undefined
    const source = ctx?.oidc.entities.AuthorizationCode ?? ctx?.oidc.entities.RefreshToken
    tokens.add({
      jti: token.jti,
      issuer,
      clientId: token.clientId ?? '',
      accountId: token.accountId,
      grantId: token.grantId ?? '',
      scope: token.scope ?? '',
      exp: token.exp ?? 0,
      amr: source?.amr ?? [],
    })
  })
  provider.on('grant.revoked', (_ctx, grantId) => {
    tokens.revokeGrant(grantId)
    authorizations.removeGrant(grantId)
  })
}
