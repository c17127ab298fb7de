/**
 * The network: an operator's authorization function and API exposing functions in one process, on
 * loopback, with nothing to install beside it. A double for demonstration and tests, made of real
 * protocol implementations.
 */

import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import { startApis } from './apis/api-exposing-functions.ts'
import { operatorApis } from './apis/catalogue.ts'
import { startAuthorizationFunction } from './authorization-function/authorization-function.ts'
import { Authorizations } from './authorization-function/authorizations.ts'
import { IssuedTokens } from './authorization-function/issued-tokens.ts'
import type { AuthorizationServerSettings } from './authorization-function/provider.ts'
import { serve } from './http/serve.ts'
import { DEFAULT_OPERATOR } from './operator.ts'
import type { Network, NetworkOptions } from './options.ts'
import { RequestLog } from './request-log.ts'
import { DEFAULT_SUBSCRIBERS, SubscriberDirectory } from './subscribers.ts'
import { QosSessions } from './user-plane/qos-sessions.ts'

export { StartError } from './http/serve.ts'
export type { Application, Network, NetworkOptions, Ports } from './options.ts'
export { type LogEntry, type LogFilter, RequestLog } from './request-log.ts'
export { DEFAULT_SUBSCRIBERS, type Subscriber } from './subscribers.ts'

/** Starts a network and resolves once all of its servers listen. */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const host = options.host ?? '127.0.0.1'
  const log = new RequestLog()
  const subscribers = new SubscriberDirectory(options.subscribers ?? DEFAULT_SUBSCRIBERS)
  const sessions = new QosSessions()
  const tokens = new IssuedTokens()
  const authorizations = new Authorizations()

  const authorizationServer = await serve({
    name: 'authorization-function',
    host,
    port: options.ports?.authorization ?? 0,
    log,
  })
  const apiServer = await serve({
    name: 'api-exposing-functions',
    host,
    port: options.ports?.apis ?? 0,
    log,
  }).catch(async (error: unknown) => {
    await authorizationServer.close()
    throw error
  })

  // WebAuthn wants a domain, and cookies of `localhost` stay away from those of 127.0.0.1.
  const issuer = `http://localhost:${authorizationServer.port}`
  const apisOrigin = `http://${host}:${apiServer.port}`
  const settings: AuthorizationServerSettings[] = [
    { issuer, profile: 'oauth', apisOrigin, options, subscribers, tokens, authorizations },
  ]
  const servers = await startAuthorizationFunction(authorizationServer, settings)
  startApis(apiServer, { apisOrigin, trust: { servers, tokens, subscribers }, sessions })

  return {
    issuer,
    apisOrigin,
    subscribers,
    log,
    operatorProfiles: settings.map((one) => operatorProfile(one)),
    async close() {
      sessions.close()
      await Promise.all([authorizationServer.close(), apiServer.close()])
    },
  }
}

function operatorProfile(settings: AuthorizationServerSettings): OperatorProfile {
  const { issuer, profile, apisOrigin, options } = settings
  return {
    issuer,
    name: (options.operator ?? DEFAULT_OPERATOR).name,
    profile,
    clientAuthentication: 'none',
    onboarding: 'preregistered',
    dpop: 'when_offered',
    pushedAuthorizationRequests: 'when_offered',
    apis: operatorApis(profile, apisOrigin),
    applications: options.applications.map(({ clientId, name, origins }) => ({
      clientId,
      name,
      origins: [...origins],
    })),
  }
}
