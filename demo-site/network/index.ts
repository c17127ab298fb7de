/**
 * Starts the network: the authorization function, the API exposing functions and the user plane of an operator in
 * one process, on loopback. It is a double for demonstration and tests, built from real protocol implementations,
 * and needs no other software.
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
import { getBasePath } from './authorization-function/screens/render.ts'
import { CapifNotifications } from './capif-notifications.ts'
import { startControl } from './control/control-api.ts'
import { Faults } from './faults/faults.ts'
import { type RunningServer, type ServeOptions, StartError, startServer } from './http/serve.ts'
import type { Network } from './network.ts'
import { DEFAULT_OPERATOR } from './operator.ts'
import { createOperatorProfile, PROFILES } from './operator-profiles.ts'
import type { NetworkOptions } from './options.ts'
import { RequestLog } from './request-log.ts'
import { createResourceOwnerFunction } from './resource-owner-function/resource-owner-function.ts'
import { Revocations } from './revocations.ts'
import { DEFAULT_SUBSCRIBERS, SubscriberDirectory } from './subscribers.ts'
import { TextMessages } from './text-messages.ts'
import { SubscriberAddresses } from './user-plane/addresses.ts'
import { QosSessions } from './user-plane/qos-sessions.ts'
import { startUserPlane } from './user-plane/user-plane.ts'

export type { ActiveFault } from './faults/faults.ts'
export type { FaultAction, FaultRule } from './faults/rule.ts'
export { StartError } from './http/serve.ts'
export type { Network } from './network.ts'
export type { Application, NetworkOptions, Ports } from './options.ts'
export {
  type LogEntry,
  type LogFilter,
  LogTimeoutError,
  RequestLog,
  type WaitOptions,
} from './request-log.ts'
export { DEFAULT_SUBSCRIBERS, type Subscriber } from './subscribers.ts'

/** Starts a network and resolves once all of its servers listen. */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const host = options.host ?? '127.0.0.1'
  const requestedIssuer = options.issuer === undefined ? undefined : parseIssuer(options.issuer)
  const operator = options.operator ?? DEFAULT_OPERATOR
  const log = new RequestLog()
  const subscribers = new SubscriberDirectory(options.subscribers ?? DEFAULT_SUBSCRIBERS)
  checkOptions(options, host, subscribers)
  const faults = new Faults()
  const common = {
    host,
    log,
    intercept: faults.intercept,
    reuseConnections: options.reuseConnections ?? true,
  }
  const [authorizationServer, apiServer, userPlaneServer, controlServer] = await startServers([
    {
      ...common,
      name: 'authorization-function',
      port: Number(requestedIssuer?.port || options.ports?.authorization || 0),
    },
    { ...common, name: 'api-exposing-functions', port: options.ports?.apis ?? 0 },
    { ...common, name: 'user-plane', port: options.ports?.userPlane ?? 0 },
    ...(options.ports?.control === undefined
      ? []
      : [
          {
            name: 'control',
            host: '127.0.0.1',
            port: options.ports.control,
            log: new RequestLog(100),
          },
        ]),
  ])
  const closeAll = () =>
    Promise.all(
      [authorizationServer, apiServer, userPlaneServer, controlServer].map((server) =>
        server?.close(),
      ),
    )
  // WebAuthn requires a domain, and cookies of `localhost` are separate from those of 127.0.0.1.
  const origin = `http://${requestedIssuer?.hostname ?? 'localhost'}:${authorizationServer.port}`
  const path = requestedIssuer?.pathname.replace(/\/$/, '') ?? ''
  const apisOrigin = `http://${host}:${apiServer.port}`

  const network = new AccessNetwork(options.accessNetwork)
  const messages = new TextMessages()
  const passkeys = new Passkeys({ id: new URL(origin).hostname, name: operator.name, origin })
  const sessions = new QosSessions()
  const addresses = new SubscriberAddresses(network)
  const userPlane = startUserPlane(userPlaneServer, addresses, sessions)
  const tokens = new IssuedTokens()
  const shared = { apisOrigin, options, subscribers, tokens, network, messages, passkeys }
  const coreNotifications = new CapifNotifications(origin, '/capif/notifications')
  authorizationServer.handleUpgrade(coreNotifications.handleUpgrade)
  const servers = await Promise.all(
    PROFILES.map(({ profile, path: profilePath }) =>
      createAuthorizationServer(
        {
          ...shared,
          issuer: `${origin}${path}${profilePath}`,
          profile,
          authorizations: new Authorizations(),
        },
        coreNotifications,
      ),
    ),
  ).catch(async (cause: unknown) => {
    await closeAll()
    throw new StartError(`applications: ${cause instanceof Error ? cause.message : 'refused'}`)
  })
  const revocations = new Revocations()
  revocations.setServers(servers)
  revocations.on('revoked', (revocation) => {
    const { issuer, clientId, accountId } = revocation
    sessions.endByClient(issuer, clientId, accountId)
    servers.find(({ settings }) => settings.issuer === issuer)?.notify(revocation)
  })
  mountAuthorizationFunction(authorizationServer, servers, [
    createResourceOwnerFunction({
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
    addresses,
    nonceRequired: options.dpop !== 'without-nonce',
  }
  const apiNotifications = new CapifNotifications(apisOrigin, '/notifications')
  startApis(apiServer, { apisOrigin, trust, sessions, notifications: apiNotifications })

  faults.rotateKeys = async (path) => {
    const basePaths = servers.map(({ settings }) => getBasePath(settings.issuer))
    const longest = basePaths
      .filter((base) => path.startsWith(`${base}/`))
      .sort()
      .at(-1)
    await servers[basePaths.indexOf(longest ?? '')]?.rotateKeys()
  }
  const controlled = {
    issuer: `${origin}${path}`,
    origin,
    apisOrigin,
    userPlaneOrigin: `http://${host}:${userPlaneServer.port}`,
    subscribers,
    log,
    faults,
    accessNetwork: network,
    messages,
    operatorProfiles: servers.map(({ settings }) => createOperatorProfile(settings)),
    revoke: revocations.revoke.bind(revocations),
    rotateKeys: async (issuer: string) => {
      await servers.find(({ settings }) => settings.issuer === issuer)?.rotateKeys()
    },
  }
  if (controlServer) startControl(controlServer, controlled)
  return {
    ...controlled,
    ...(controlServer ? { controlOrigin: `http://127.0.0.1:${controlServer.port}` } : {}),
    async close() {
      faults.clear()
      userPlane.close()
      sessions.close()
      revocations.removeAllListeners()
      coreNotifications.close()
      apiNotifications.close()
      await closeAll()
    },
  }
}

/** @throws StartError for options that the types cannot exclude. */
function checkOptions(
  options: NetworkOptions,
  host: string,
  subscribers: SubscriberDirectory,
): void {
  if (!/^127(\.\d+){3}$/.test(host)) throw new StartError('the host must be a loopback address')
  for (const id of Object.values(options.accessNetwork ?? {})) {
    if (!subscribers.byId(id))
      throw new StartError('accessNetwork: names a subscriber who is not there')
  }
}

/** @throws StartError for an issuer that this network cannot serve. @see RFC 8414 section 2 */
function parseIssuer(issuer: string): URL {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  const loopback = url && /^(localhost|127(\.\d+){3})$/.test(url.hostname)
  const plain = url && (url.pathname === '/' || !issuer.endsWith('/')) && !/[?#]/.test(issuer)
  if (url?.protocol === 'http:' && loopback && plain) return url
  throw new StartError(
    'the issuer must be http on localhost, without query, fragment and final slash',
  )
}

/** Starts all servers; if one fails, closes those that have started. */
async function startServers(
  all: readonly ServeOptions[],
): Promise<[RunningServer, RunningServer, RunningServer, RunningServer?]> {
  const started: RunningServer[] = []
  try {
    for (const server of all) started.push(await startServer(server))
  } catch (error) {
    await Promise.all(started.map((server) => server.close()))
    throw error
  }
  return started as [RunningServer, RunningServer, RunningServer, RunningServer?]
}
