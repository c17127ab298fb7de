/**
 * What a token may be for, by profile. `oauth` has one resource per API (RFC 8707); CAPIF and CAMARA
 * know no resource indicator, so there the scope alone says it, and one resource stands for all.
 */

import { errors, type ResourceServer } from 'oidc-provider'
import type { ProfileName } from '../../../shared/messages/operator-profile.ts'
import { AEF_ID, findApiByResource, listApis, listScopes } from '../apis/catalogue.ts'
import { listCapifScopes } from '../capif-core/scope.ts'
import { SIGNING_ALGORITHM } from './keys.ts'

interface ResourceSettings {
  profile: ProfileName
  apisOrigin: string
}

/** The resource of a request that names none; `oauth` has no such default. */
export function getDefaultResource({ profile, apisOrigin }: ResourceSettings): string | undefined {
  return profile === 'oauth' ? undefined : `${apisOrigin}/${profile}`
}

/** What `aud` has to be for an API. */
export function getAudience({ profile, apisOrigin }: ResourceSettings, path: string): string {
  if (profile === 'oauth') return `${apisOrigin}${path}`
  return profile === 'capif' ? AEF_ID : apisOrigin
}

/** @throws InvalidTarget for a resource that is not exposed. */
export function createResourceServer(settings: ResourceSettings, resource: string): ResourceServer {
  const { profile, apisOrigin } = settings
  const common = {
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: SIGNING_ALGORITHM } },
  } as const
  if (profile === 'oauth') {
    const api = findApiByResource(resource, profile, apisOrigin)
    if (!api) throw new errors.InvalidTarget()
    const scope = listScopes(api, profile).map((apiScope) => apiScope.scope)
    return { ...common, scope: scope.join(' '), audience: getAudience(settings, api.path) }
  }
  if (resource !== getDefaultResource(settings)) throw new errors.InvalidTarget()
  const names = listApis(profile).map(({ name }) => name)
  const scope =
    profile === 'capif'
      ? listCapifScopes(names)
      : listApis(profile).flatMap((api) =>
          listScopes(api, profile).map((apiScope) => apiScope.scope),
        )
  return { ...common, scope: scope.join(' '), audience: getAudience(settings, '') }
}
