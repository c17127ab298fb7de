/**
 * Extends the metadata that oidc-provider publishes for an issuer. A CAPIF core has one token endpoint per API
 * invoker, which metadata cannot express, so the OAuth document has none. The OpenID document has a general
 * one, for clients without CAPIF support.
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
