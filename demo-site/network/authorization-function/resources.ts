/**
 * Resource servers of an access token, by profile. `oauth` has one resource per API, which the request names with
 * a resource indicator (RFC 8707). CAPIF and CAMARA have no resource indicators: one default resource covers all
 * APIs, and the scope alone selects the API.
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

/** Returns the resource of a request without a resource indicator; `undefined` for `oauth`. */
export function getDefaultResource({ profile, apisOrigin }: ResourceSettings): string | undefined {
  return profile === 'oauth' ? undefined : `${apisOrigin}/${profile}`
}

/** Returns the value of the `aud` claim for the API at this path. */
export function getAudience({ profile, apisOrigin }: ResourceSettings, path: string): string {
  if (profile === 'oauth') return `${apisOrigin}${path}`
  return profile === 'capif' ? AEF_ID : apisOrigin
}

/** Describes a resource server to oidc-provider. @throws InvalidTarget for a resource that is not exposed. */
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
