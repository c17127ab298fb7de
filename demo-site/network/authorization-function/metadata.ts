/**
 * What the published metadata of an issuer says beyond oidc-provider. A CAPIF core has a token endpoint
 * per API invoker, which metadata cannot name, so the OAuth document is without one; the OpenID
 * document names a general one for clients that know nothing of CAPIF.
 * @see RFC 8414 section 2, TS 29.222 clause 8.5.2
 */

import type { Provider } from 'oidc-provider'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'

export function mountMetadata(provider: Provider, { profile }: AuthorizationServerSettings): void {
  provider.use(async (ctx, next) => {
    await next()
    if (!ctx.path.startsWith('/.well-known/') || ctx.status !== 200) return
    const metadata: Record<string, unknown> = { ...Object(ctx.body) }
    if (profile === 'capif' && ctx.path.endsWith('/oauth-authorization-server')) {
      delete metadata.token_endpoint
    }
    if (profile === 'camara') metadata.camara_dpop_claims_required = ['camara:bh', 'camara:qh']
    ctx.body = metadata
  })
}
