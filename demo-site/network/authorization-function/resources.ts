/**
 * What a token may be for, by profile. `oauth` has one resource per API (RFC 8707); CAPIF and CAMARA
 * know no resource indicator, so there the scope alone says it, and one resource stands for all.
 */

import { errors, type ResourceServer } from 'oidc-provider'
import type { ProfileName } from '../../../shared/messages/operator-profile.ts'
import { AEF_ID, apiOfResource, apisOf, scopesOf } from '../apis/catalogue.ts'
import { capifScopeWords } from '../capif-core/scope.ts'
import { SIGNING_ALGORITHM } from './keys.ts'

interface ResourceSettings {
  profile: ProfileName
  apisOrigin: string
}

/** The resource of a request that names none; `oauth` has no such default. */
export function defaultResource({ profile, apisOrigin }: ResourceSettings): string | undefined {
  return profile === 'oauth' ? undefined : `${apisOrigin}/${profile}`
}

/** What `aud` has to be for an API. */
export function audienceOf({ profile, apisOrigin }: ResourceSettings, path: string): string {
  if (profile === 'oauth') return `${apisOrigin}${path}`
  return profile === 'capif' ? AEF_ID : apisOrigin
}

/** @throws InvalidTarget for a resource that is not exposed. */
export function resourceServer(settings: ResourceSettings, resource: string): ResourceServer {
  const { profile, apisOrigin } = settings
  const common = {
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: SIGNING_ALGORITHM } },
  } as const
  if (profile === 'oauth') {
    const api = apiOfResource(resource, profile, apisOrigin)
    if (!api) throw new errors.InvalidTarget()
    const scope = scopesOf(api, profile).map((one) => one.scope)
    return { ...common, scope: scope.join(' '), audience: audienceOf(settings, api.path) }
  }
  if (resource !== defaultResource(settings)) throw new errors.InvalidTarget()
  const names = apisOf(profile).map(({ name }) => name)
  const scope =
    profile === 'capif'
      ? capifScopeWords(names)
      : apisOf(profile).flatMap((api) => scopesOf(api, profile).map((one) => one.scope))
  return { ...common, scope: scope.join(' '), audience: audienceOf(settings, '') }
}
