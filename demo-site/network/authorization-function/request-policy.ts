/**
 * What is looked at once per authorization request, after oidc-provider has checked it and before it
 * asks who the subscriber is: the scope rules of the profile, and who the access network says it is.
 */

import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { listApis } from '../apis/catalogue.ts'
import { findScopeError } from '../capif-core/scope.ts'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'

/** Parameter of our own: whether `offline_access` was asked for, which oidc-provider takes out. */
export const OFFLINE_PARAMETER = 'northbound_offline'

type Policy = (ctx: KoaContextWithOIDC) => void

/** The hook, in the form that oidc-provider runs: the validator of an extra parameter. */
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
  // Who was known by the address alone is unknown once it is gone.
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
