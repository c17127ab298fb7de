/** What a consent screen has to say, and what it means when the resource owner allows it. */

import type { Provider } from 'oidc-provider'
import { EXPOSED_APIS } from '../apis/catalogue.ts'
import type { Authorizations } from './authorizations.ts'
import type { AuthorizationServerSettings } from './provider.ts'
import type { ConsentApi } from './screens/consent.tsx'

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

interface Missing {
  missingOIDCScope?: string[]
  missingOIDCClaims?: string[]
  missingResourceScopes?: Record<string, string[]>
}

/** The APIs, scopes and purpose that are still to be authorized, in plain words. */
export function consentDetails(
  interaction: Interaction,
  { apisOrigin }: AuthorizationServerSettings,
): { apis: ConsentApi[]; purpose?: string } {
  const { missingResourceScopes = {} } = interaction.prompt.details as Missing
  const apis = Object.entries(missingResourceScopes).map(([resource, scopes]) => {
    const api = EXPOSED_APIS.find(({ path }) => `${apisOrigin}${path}` === resource)
    return {
      title: api?.title ?? resource,
      description: api?.description ?? '',
      scopes: scopes.map((scope) => ({
        scope,
        description: api?.scopes.find((one) => one.scope === scope)?.description ?? scope,
      })),
    }
  })
  return { apis }
}

/** Grants all that was asked for, stores the authorization, and returns the grant's identifier. */
export async function grantEverything(
  provider: Provider,
  interaction: Interaction,
  authorizations: Authorizations,
): Promise<string> {
  const accountId = interaction.session?.accountId ?? ''
  const clientId = String(interaction.params.client_id)
  const stored = authorizations.find(accountId, clientId)?.grantId ?? interaction.grantId
  const grant =
    (stored === undefined ? undefined : await provider.Grant.find(stored)) ??
    new provider.Grant({ accountId, clientId })
  const details = interaction.prompt.details as Missing
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '))
  if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims)
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '))
  }
  const grantId = await grant.save()
  authorizations.store(accountId, clientId, grantId)
  return grantId
}
