/** Selects what the consent screen shows, and creates the grant when the resource owner allows it. */

import type { Provider } from 'oidc-provider'
import type { ProfileName } from '../../../shared/messages/operator-profile.ts'
import { listApis, listScopes, PURPOSE_TEXTS } from '../apis/catalogue.ts'
import { listCapifScopes, parseApiNames } from '../capif-core/scope.ts'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'
import type { ConsentApi } from './screens/consent.tsx'

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

interface MissingConsent {
  missingOIDCScope?: string[]
  missingOIDCClaims?: string[]
  missingResourceScopes?: Record<string, string[]>
}

const NUMBER_READ_SCOPE = /^number-verification:device-phone-number:read$/

/** Returns descriptions of the APIs, scopes and purpose that are not authorized yet. */
export function getConsentDetails(
  interaction: Interaction,
  { profile }: AuthorizationServerSettings,
): { apis: ConsentApi[]; purpose?: string; numberIsHidden: boolean } {
  const { missingResourceScopes = {} } = interaction.prompt.details as MissingConsent
  const words = Object.values(missingResourceScopes).flat()
  const purpose = String(interaction.params.scope ?? '')
    .split(' ')
    .map((word) => PURPOSE_TEXTS[word])
    .find((text) => text !== undefined)
  return {
    apis: listConsentApis(profile, words),
    // A CAPIF token names its owner by GPSI. @see TS 29.222 table 8.5.4.2.8-1
    numberIsHidden: profile !== 'capif' && !words.some((word) => NUMBER_READ_SCOPE.test(word)),
    ...(purpose === undefined ? {} : { purpose }),
  }
}

function listConsentApis(profile: ProfileName, words: readonly string[]): ConsentApi[] {
  const names = words.flatMap(parseApiNames)
  return listApis(profile)
    .map((api) => ({
      title: api.title,
      description: api.description,
      scopes: listScopes(api, profile).filter(({ scope }) =>
        profile === 'capif' ? names.includes(api.name) : words.includes(scope),
      ),
    }))
    .filter(({ scopes }) => scopes.length > 0)
}

/** Grants the requested scopes, stores the authorization, and returns the identifier of the grant. */
export async function grantRequestedScopes(
  provider: Provider,
  interaction: Interaction,
  { authorizations, profile }: AuthorizationServerSettings,
): Promise<string> {
  const accountId = interaction.session?.accountId ?? ''
  const clientId = String(interaction.params.client_id)
  const stored = authorizations.find(accountId, clientId)?.grantId ?? interaction.grantId
  const grant =
    (stored === undefined ? undefined : await provider.Grant.find(stored)) ??
    new provider.Grant({ accountId, clientId })
  const details = interaction.prompt.details as MissingConsent
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '))
  if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims)
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    // Consent to a list of APIs is consent to every part of the list.
    const words =
      profile === 'capif' ? [...scopes, ...listCapifScopes(scopes.flatMap(parseApiNames))] : scopes
    grant.addResourceScope(resource, [...new Set(words)].join(' '))
  }
  const grantId = await grant.save()
  authorizations.store(accountId, clientId, grantId)
  return grantId
}
