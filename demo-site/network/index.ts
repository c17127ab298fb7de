/**
 * The network: an operator's authorization function and API exposing functions in one process, on
 * loopback, with nothing to install beside it. A double for demonstration and tests, made of real
 * protocol implementations.
 */

import { AccessNetwork } from './access-network.ts'
import { startApis } from './apis/api-exposing-functions.ts'
import { ProofChecker } from './apis/dpop-proof.ts'
import {
  createAuthorizationServer,
  mountAuthorizationFunction,
} from './authorization-function/authorization-function.ts'
import { Authorizations } from './authorization-function/authorizations.ts'
import { IssuedTokens } from './authorization-function/issued-tokens.ts'
import { Passkeys } from './authorization-function/passkeys.ts'
import { type RunningServer, type ServeOptions, serve } from './http/serve.ts'
import { Messages } from './messages.ts'
import { Notifications } from './notifications.ts'
import { DEFAULT_OPERATOR } from './operator.ts'
import { operatorProfile, PROFILES } from './operator-profiles.ts'
import type { Network, NetworkOptions } from './options.ts'
import { RequestLog } from './request-log.ts'
import { resourceOwnerFunction } from './resource-owner-function/resource-owner-function.ts'
import { Revocations } from './revocations.ts'
import { DEFAULT_SUBSCRIBERS, SubscriberDirectory } from './subscribers.ts'
import { QosSessions } from './user-plane/qos-sessions.ts'

export { StartError } from './http/serve.ts'
export type { Application, Network, NetworkOptions, Ports } from './options.ts'
export { type LogEntry, type LogFilter, RequestLog } from './request-log.ts'
export { DEFAULT_SUBSCRIBERS, type Subscriber } from './subscribers.ts'

/** Starts a network and resolves once all of its servers listen. */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const host = options.host ?? '127.0.0.1'
  const operator = options.operator ?? DEFAULT_OPERATOR
  const log = new RequestLog()
  const subscribers = new SubscriberDirectory(options.subscribers ?? DEFAULT_SUBSCRIBERS)
  const [authorizationServer, apiServer] = await listen([
    { name: 'authorization-function', host, port: options.ports?.authorization ?? 0, log },
    { name: 'api-exposing-functions', host, port: options.ports?.apis ?? 0, log },
  ])
  // WebAuthn wants a domain, and cookies of `localhost` stay away from those of 127.0.0.1.
  const origin = `http://localhost:${authorizationServer.port}`
  const apisOrigin = `http://${host}:${apiServer.port}`

  const network = new AccessNetwork(options.accessNetwork)
  const messages = new Messages()
  const passkeys = new Passkeys({ id: 'localhost', name: operator.name, origin })
  const sessions = new QosSessions()
  const tokens = new IssuedTokens()
  const shared = { apisOrigin, options, subscribers, tokens, network, messages, passkeys }
  const coreNotifications = new Notifications(origin, '/capif/notifications')
  authorizationServer.handleUpgrade(coreNotifications.upgrade)
  const servers = await Promise.all(
    PROFILES.map(({ profile, path }) =>
      createAuthorizationServer(
        { ...shared, issuer: `${origin}${path}`, profile, authorizations: new Authorizations() },
        coreNotifications,
      ),
    ),
  )
  const revocations = new Revocations()
  revocations.serve(servers)
  revocations.on('revoked', (revocation) => {
    servers.find(({ settings }) => settings.issuer === revocation.issuer)?.notify(revocation)
  })
  mountAuthorizationFunction(authorizationServer, servers, [
    resourceOwnerFunction({
      origin,
      operator,
      subscribers,
      servers,
      revocations,
      messages,
      passkeys,
    }),
  ])
  const trust = {
    servers,
    tokens,
    subscribers,
    proofs: new ProofChecker(),
    nonceRequired: options.dpop !== 'without-nonce',
  }
  const apiNotifications = new Notifications(apisOrigin, '/notifications')
  startApis(apiServer, { apisOrigin, trust, sessions, notifications: apiNotifications })

  return {
    issuer: origin,
    origin,
    apisOrigin,
    subscribers,
    log,
    accessNetwork: network,
    messages,
    operatorProfiles: servers.map(({ settings }) => operatorProfile(settings)),
    revoke: (issuer, subscriberId, clientId, cause) =>
      revocations.revoke(issuer, subscriberId, clientId, cause),
    rotateKeys: async (issuer) => {
      await servers.find(({ settings }) => settings.issuer === issuer)?.rotateKeys()
    },
    async close() {
      sessions.close()
      revocations.removeAllListeners()
      coreNotifications.close()
      apiNotifications.close()
      await Promise.all([authorizationServer.close(), apiServer.close()])
    },
  }
}

/** Starts all servers, or none. */
async function listen<const Options extends readonly ServeOptions[]>(
  all: Options,
): Promise<{ [Index in keyof Options]: RunningServer }> {
  const started: RunningServer[] = []
  try {
    for (const one of all) started.push(await serve(one))
  } catch (error) {
    await Promise.all(started.map((server) => server.close()))
    throw error
  }
  return started as { [Index in keyof Options]: RunningServer }
}
