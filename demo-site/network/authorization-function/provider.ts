/**
 * Configures the authorization server of one issuer on oidc-provider, for public clients with PKCE. TS 23.222
 * clause 3.1 defines the authorization function; RFC 6749 and RFC 7636 define the protocol.
 */

import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type Configuration, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { ProfileName } from '../../../shared/messages/operator-profile.ts'
import { PURPOSE_TEXTS } from '../apis/catalogue.ts'
import { setAccessTokenClaims } from '../capif-core/access-token-claims.ts'
import { createRecordStore, MemoryAdapter, type RecordStore } from './adapter.ts'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'
import { createClientMetadata } from './clients.ts'
import { SIGNING_ALGORITHM, type SigningKey } from './keys.ts'
import { createRequestPolicy, OFFLINE_PARAMETER } from './request-policy.ts'
import { createResourceServer, getDefaultResource } from './resources.ts'
import { renderErrorScreen } from './screens/render.ts'

/** State that a key rotation keeps: records, cookie keys, and the secret of the pairwise subjects. */
export interface AuthorizationServerState {
  store: RecordStore
  cookieKeys: string[]
  pairwiseSecret: Buffer
  nonceSecret: Buffer
  /** Authorization codes whose request had the scope `offline_access`. */
  offlineCodes: LRUCache<string, true>
}

export function createServerState(): AuthorizationServerState {
  return {
    store: createRecordStore(),
    cookieKeys: [randomBytes(32).toString('base64url')],
    pairwiseSecret: randomBytes(32),
    nonceSecret: randomBytes(32),
    offlineCodes: new LRUCache({ max: 5000, ttl: 120_000 }),
  }
}

/** Creates the server; its own routes are mounted below the path of the issuer. */
export async function createProvider(
  settings: AuthorizationServerSettings,
  state: AuthorizationServerState,
  keys: readonly SigningKey[],
): Promise<Provider> {
  const { issuer, options } = settings
  const clients = await Promise.all(
    options.applications.map((application) =>
      createClientMetadata(application, issuer, options.redirectBases),
    ),
  )
  const provider = new Provider(issuer, {
    ...createConfiguration(settings, state, keys),
    clients,
  })
  recordIssuedTokens(provider, settings)
  recordOfflineCodes(provider, state)
  return provider
}

/** Recognises the origin of a broker extension. In Firefox it is a random UUID per installation. */
function isExtension(origin: string): boolean {
  return /^(?:chrome|moz)-extension:\/\//.test(origin)
}

function createConfiguration(
  settings: AuthorizationServerSettings,
  state: AuthorizationServerState,
  keys: readonly SigningKey[],
): Configuration {
  const { issuer, profile, options, subscribers, authorizations } = settings
  const lifetime = options.accessTokenSeconds ?? 600
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const cookieSuffix = `${profile}_${new URL(issuer).port}`
  return {
    adapter: (kind: string) => new MemoryAdapter(kind, state.store),
    jwks: { keys: keys.map(({ privateJwk }) => privateJwk) },
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: SIGNING_ALGORITHM,
      subject_type: 'pairwise',
    },
    clientAuthMethods: ['none', 'private_key_jwt'],
    responseTypes: ['code'],
    enabledJWA: {
      idTokenSigningAlgValues: [SIGNING_ALGORITHM],
      clientAuthSigningAlgValues: [SIGNING_ALGORITHM],
      dPoPSigningAlgValues: [SIGNING_ALGORITHM],
    },
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims) => checkAssertion(claims),
    subjectTypes: ['pairwise'],
    sectorIdentifierUriValidate: () => false,
    // By client and not by sector: all applications share the host of the redirect URI, that of the broker.
    pairwiseIdentifier: (_ctx, accountId, client) =>
      createHmac('sha256', state.pairwiseSecret)
        .update(JSON.stringify([client.clientId, accountId]))
        .digest('base64url'),
    scopes: [
      'openid',
      'offline_access',
      ...(profile === 'camara' ? Object.keys(PURPOSE_TEXTS) : []),
    ],
    extraParams: createRequestPolicy(settings),
    // All ports of a host share its cookies, so each server uses cookie names of its own.
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
      // TS 33.122 annex C requires bearer tokens.
      dPoP: {
        enabled: profile !== 'capif' && options.dpop !== 'off',
        nonceSecret: state.nonceSecret,
        requireNonce: () => options.dpop !== 'without-nonce',
      },
      pushedAuthorizationRequests: { enabled: options.pushedAuthorizationRequests ?? true },
      rpInitiatedLogout: { enabled: false },
      registration: {
        enabled: true,
        idFactory: () => `ue-${randomBytes(9).toString('base64url')}`,
      },
      clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf ?? getDefaultResource(settings) ?? [],
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => createResourceServer(settings, resource),
      },
    },
    ...(profile === 'capif'
      ? {
          formats: {
            customizers: {
              jwt: (_ctx, token, parts) => setAccessTokenClaims(token, parts, subscribers),
            },
          },
        }
      : {}),
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
    issueRefreshToken: (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') && mayRefresh(profile, state, source),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: (_ctx, token) =>
        SINGLE_USE_SCOPE.test(token.scope ?? '') ? Math.min(lifetime, 300) : lifetime,
      AuthorizationCode: 60,
      Grant: 30 * 24 * 3600,
      IdToken: 600,
      Interaction: 3600,
      RefreshToken: 30 * 24 * 3600,
      Session: 14 * 24 * 3600,
    },
    renderError: (ctx, error) => renderErrorScreen(ctx, settings, error),
  }
}

function recordIssuedTokens(provider: Provider, settings: AuthorizationServerSettings): void {
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
  provider.on('grant.success', (ctx) => {
    const value: unknown = Reflect.get(Object(ctx.body), 'access_token')
    const { jti } = ctx.oidc.entities.AccessToken ?? {}
    if (typeof value === 'string' && jti !== undefined) tokens.setValue(jti, value)
  })
  provider.on('grant.revoked', (_ctx, grantId) => {
    tokens.revokeGrant(grantId)
    authorizations.removeGrant(grantId)
  })
}

/** Tokens with these scopes are valid for one call. @see CAMARA Number Verification, token rules */
const SINGLE_USE_SCOPE = /(^| )number-verification:/

function mayRefresh(
  profile: ProfileName,
  state: AuthorizationServerState,
  source: { kind?: string; jti?: string; scope?: string | undefined },
): boolean {
  if (profile === 'capif' || SINGLE_USE_SCOPE.test(source.scope ?? '')) return false
  if (profile === 'oauth' || source.kind !== 'AuthorizationCode') return true
  return state.offlineCodes.has(source.jti ?? '')
}

function recordOfflineCodes(provider: Provider, { offlineCodes }: AuthorizationServerState) {
  provider.on('authorization_code.saved', (code) => {
    const ctx = Provider.ctx as KoaContextWithOIDC | undefined
    if (ctx?.oidc.params?.[OFFLINE_PARAMETER] === 'yes') offlineCodes.set(code.jti, true)
  })
}

/** Limits the lifetime of a client assertion to 300 s. @see CAMARA Security and Interoperability Profile */
function checkAssertion(claims: { exp?: number; iat?: number }): void {
  const issued = claims.iat ?? Math.floor(Date.now() / 1000)
  if ((claims.exp ?? 0) - issued > 300) {
    throw new errors.InvalidClientAuth('the client assertion must live for 300 seconds at most')
  }
}
