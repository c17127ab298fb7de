/**
 * Checks each authorization request once, after oidc-provider has validated it and before it identifies the
 * subscriber: applies the scope rules of the profile, and signs in the subscriber whom the access network knows.
 */

import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { listApis } from '../apis/catalogue.ts'
import { findScopeError } from '../capif-core/scope.ts'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'

/** Internal parameter: whether `offline_access` was requested, which oidc-provider removes from the scope. */
export const OFFLINE_PARAMETER = 'northbound_offline'

type Policy = (ctx: KoaContextWithOIDC) => void

/** Creates the check as the validator of an extra parameter, which is the hook that oidc-provider offers. */
export function createRequestPolicy(settings: AuthorizationServerSettings): {
  [OFFLINE_PARAMETER]: Policy
} {
  return {
    [OFFLINE_PARAMETER](ctx) {
      const { params, route } = ctx.oidc
      if (!params) return
      const requestedScope = getRequestedScope(ctx)
      if (params.request_uri === undefined && requestedScope !== undefined) {
        params[OFFLINE_PARAMETER] = requestedScope.split(' ').includes('offline_access')
          ? 'yes'
          : undefined
      }
      checkScope(settings, typeof params.scope === 'string' ? params.scope : '')
      if (route === 'authorization') signInByAccessNetwork(ctx, settings)
    },
  }
}

function getRequestedScope(ctx: KoaContextWithOIDC): string | undefined {
  const scope = ctx.query.scope ?? ctx.oidc.body?.scope
  return typeof scope === 'string' ? scope : undefined
}

function checkScope({ profile }: AuthorizationServerSettings, scope: string): void {
  if (profile === 'capif') {
    const error = findScopeError(
      scope,
      listApis('capif').map(({ name }) => name),
    )
    if (error !== undefined) throw new errors.InvalidScope(error, scope)
  }
  if (profile === 'camara') {
    const purposes = scope.split(' ').filter((word) => word.startsWith('dpv:'))
    if (purposes.length !== 1) {
      throw new errors.InvalidScope('the scope must have exactly one dpv: purpose', scope)
    }
  }
}

function signInByAccessNetwork(
  ctx: KoaContextWithOIDC,
  { network, profile }: AuthorizationServerSettings,
): void {
  const { session, params } = ctx.oidc
  if (!session || params?.prompt === 'login') return
  const attachedSubscriberId = network.subscriberAt(ctx.req.socket.remoteAddress)
  // A subscriber who was identified by the address alone is signed out when the UE leaves that address.
  if (session.amr?.includes('nba') && session.accountId !== attachedSubscriberId) {
    Reflect.deleteProperty(session, 'accountId')
  }
  const takesOver = session.accountId === undefined || profile === 'camara'
  if (attachedSubscriberId !== undefined && takesOver) {
    session.loginAccount({ accountId: attachedSubscriberId, amr: ['nba'], transient: true })
  }
  if (profile === 'camara' && params?.prompt === 'none' && session.accountId === undefined) {
    throw new errors.LoginRequired('USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK')
  }
}
