/**
 * Connects the CAPIF core function to the authorization server of its issuer, and notifies API invokers of
 * revocations.
 */

import { redirectUriFor } from '../../../shared/core/redirect-uri.ts'
import type { MemoryAdapter } from '../authorization-function/adapter.ts'
import type { AuthorizationServerSettings } from '../authorization-function/authorization-server-settings.ts'
import type { CapifNotifications } from '../capif-notifications.ts'
import type { Handler } from '../http/serve.ts'
import type { Revocation } from '../revocation.ts'
import { Invokers } from './invokers.ts'
import { createCapifRoutes, createSecurityNotification } from './routes.ts'
import { createTokenEndpoint } from './token-endpoint.ts'

const NOTIFY_TIMEOUT_MS = 3000

export interface CapifCoreSettings {
  settings: AuthorizationServerSettings
  notifications: CapifNotifications
  /** Records of the authorization server. */
  adapter(kind: string): MemoryAdapter
  isClient(clientId: string): Promise<boolean>
}

export interface CapifCore {
  handler: Handler
  /** Notifies the invoker that a resource owner has revoked its authorization. */
  notify(revocation: Revocation): void
}

export function createCapifCore(core: CapifCoreSettings, next: Handler): CapifCore {
  const { settings, notifications, adapter, isClient } = core
  const { issuer, apisOrigin, subscribers, options } = settings
  const invokers = new Invokers()

  const tokenEndpoint = createTokenEndpoint(
    {
      invokers,
      subscribers,
      isClient,
      findOwner: async (code) => (await adapter('AuthorizationCode').find(code))?.accountId,
    },
    next,
  )
  const handler = createCapifRoutes(
    {
      apiRoot: issuer,
      apisOrigin,
      invokers,
      notifications,
      isClient,
      async registerClient({ apiInvokerId, information }) {
        const uris = options.redirectBases.map((base) => redirectUriFor(base, issuer))
        await adapter('Client').upsert(apiInvokerId, {
          client_id: apiInvokerId,
          client_name: information,
          redirect_uris: await Promise.all(uris),
          grant_types: ['authorization_code'],
          response_types: ['code'],
          token_endpoint_auth_method: 'none',
          sector_identifier_uri: `https://${apiInvokerId.toLowerCase()}.applications.example/`,
        })
      },
    },
    tokenEndpoint,
  )
  return {
    handler,
    notify({ clientId, cause, tokens }) {
      const context = invokers.findContext(clientId)
      if (!context) return
      const values = tokens.length === 0 ? [undefined] : tokens.map(({ value }) => value)
      for (const value of values) {
        const notification = createSecurityNotification(clientId, cause, value)
        if (context.websocketUri === undefined) {
          void postNotification(context.security.notificationDestination, notification)
        } else {
          notifications.send(context.websocketUri, notification)
        }
      }
    },
  }
}

/** Posts a notification to an invoker without WebSocket. Only loopback is called. @see TS 29.222 clause 7.6 */
async function postNotification(destination: string, notification: object): Promise<void> {
  if (!/^http:\/\/(localhost|127(\.\d+){3})(:\d+)?\//.test(destination)) return
  await fetch(destination, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(notification),
    redirect: 'error',
    signal: AbortSignal.timeout(NOTIFY_TIMEOUT_MS),
  }).catch(() => undefined)
}
