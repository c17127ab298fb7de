/**
 * Contents of a request that the operator profile decides, or else the protocol profile: the scopes that the broker
 * adds to those of the APIs, and the resource indicators.
 */

import type { OperatorApi } from '../messages/operator-profile.ts'
import type { ServerMetadata } from '../oauth/metadata.ts'
import { profileOf } from '../profiles/index.ts'
import type { ScopeOptions, ServerConfig } from '../profiles/profile.ts'

/**
 * The scopes beside those of the APIs. `offline_access` is never requested of a server that does not list it: many
 * servers reject a scope that they do not know.
 * @see OpenID Connect Core sections 3.1.2.1 and 11
 */
export function scopeOptionsOf(server: ServerConfig, metadata: ServerMetadata): ScopeOptions {
  const profile = profileOf(server)
  const lists = (scope: string) => metadata.scopes_supported?.includes(scope) === true
  const openid = server.openid ?? profile.openid
  const offlineAccess = server.offlineAccess ?? profile.offlineAccess
  return {
    idToken: openid === 'required' || (openid === 'when_offered' && lists('openid')),
    offlineAccess:
      profile.refreshTokens && offlineAccess === 'when_offered' && lists('offline_access'),
  }
}

const resourceIndicatorsOf = (server: ServerConfig) =>
  server.resourceIndicators ?? profileOf(server).resourceIndicators

/** Whether any request to the server names a resource. */
export const usesResourceIndicators = (server: ServerConfig): boolean =>
  resourceIndicatorsOf(server) !== 'never'

/**
 * The resources that an authorization request for these APIs names. Not every server accepts the parameter twice.
 * @see RFC 8707 section 2.1
 */
export function requestedResources(
  server: ServerConfig,
  apis: readonly { resource: string }[],
): string[] {
  const resources = [...new Set(apis.map(({ resource }) => resource))]
  switch (resourceIndicatorsOf(server)) {
    case 'always':
      return resources
    case 'when_one':
      return resources.length === 1 ? resources : []
    case 'never':
      return []
  }
}

/**
 * The scope to register a client with at this server: all that its requests may name. `undefined` if there is none, or
 * if it cannot be listed. @see RFC 7591 section 2
 */
export function registrationScope(
  server: ServerConfig & { apis: readonly OperatorApi[] },
  metadata: ServerMetadata,
): string | undefined {
  return profileOf(server).registrationScope(server.apis, scopeOptionsOf(server, metadata))
}
