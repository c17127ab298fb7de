/**
 * Receives CAPIF revocation notifications over WebSocket: a UE cannot host the callback endpoint that
 * CAPIF would otherwise call. A notification ends the grants that it names: their tokens are dropped at
 * once, and the page gets an event with the cause.
 *
 * There is one channel for each issuer and client. No channel waits for another: each has a queue of its own,
 * which is held over records only, never over a request. A WebSocket keep-alive (heartbeat) keeps the
 * connection and the worker alive. A lost connection is made again after an exponential back-off, which
 * is stored before the next attempt, so that a worker that is restarted does not reconnect too early.
 * An alarm wakes the worker when the back-off is over. A core that exceeds a limit is disconnected; its back-off
 * grows with each such violation, and a connection that opens does not end it.
 *
 * Border: `shared/core` negotiates the security method; `websocket-uri.ts` says to which hosts a channel may lead,
 * `notification-socket.ts` limits what comes in, `network-revocations.ts` ends grants.
 *
 * @see TS 29.222 clause 7.6
 */

import { negotiateSecurity } from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import {
  CAPIF_VIOLATION_MEMORY_MS,
  FIRST_CAPIF_PAUSE_MS,
  LONGEST_CAPIF_PAUSE_MS,
} from '../../limits.ts'
import { onGrantEnd } from '../grants/ended-grants.ts'
import { type GrantRecord, listAllGrants } from '../grants/grants.ts'
import { reportUnnamedServers } from '../operators/operator-discovery.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { findOperator, onOperatorsChanged } from '../operators/operators.ts'
import { requireAnonymousRequest } from '../platform/anonymous-requests.ts'
import { computeBackoffMs, randomFraction } from '../platform/backoff.ts'
import { createEffects } from '../platform/effects.ts'
import { wakeAt } from '../platform/housekeeping-alarm.ts'
import { log } from '../platform/log.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'
import { createKeyedSerialQueue } from '../platform/serial-queue.ts'
import { createSingleFlight } from '../platform/single-flight.ts'
import { flows } from './flow-records.ts'
import { handleNotification, readNotification } from './network-revocations.ts'
import {
  type NotificationSocket,
  openNotificationSocket,
  type Violation,
} from './notification-socket.ts'
import { describeRejectedUri, UNNAMED_SERVER } from './websocket-uri.ts'

interface Channel {
  issuer: string
  clientId: string
  /** Absent for a core that sends no notifications. It is checked before each connection. */
  websocketUri?: string
  /** Why the core's address was rejected at the negotiation, in the words of the log. */
  rejection?: string
  /** Number of failed and lost connections since the last connection that opened. */
  failures: number
  /** Number of connections that exceeded a limit. */
  violations?: number
  /** Time of the last of them, in milliseconds since the epoch. */
  violatedAtMs?: number
  /** End of the back-off: earliest time of the next attempt, in milliseconds since the epoch. */
  dueAtMs: number
}

const BACKOFF = { firstMs: FIRST_CAPIF_PAUSE_MS, longestMs: LONGEST_CAPIF_PAUSE_MS }

const channels = openSealedStore<Channel>('channels')
const sockets = new Map<string, NotificationSocket>()
/** Runs changes of one channel one after the other. */
const runInChannelQueue = createKeyedSerialQueue()
const negotiations = createSingleFlight<void>()

const getChannelId = ({ issuer, clientId }: Pick<Channel, 'issuer' | 'clientId'>) =>
  `${issuer} ${clientId}`

/**
 * Negotiates the security method of the APIs with the core, and stores the address at which the core
 * sends notifications. The back-off after violations stays.
 *
 * @see TS 29.222 clause 8.5
 */
export async function openChannel(
  server: OperatorProfile,
  clientId: string,
  apis: ApiAccess[],
): Promise<void> {
  if (server.profile !== 'capif') return
  const { issuer } = server
  const scopes = apis.map(({ scope }) => scope)
  const effects = createEffects(getServerOrigins(server))
  const uri = (await negotiateSecurity(server, clientId, scopes, effects))?.websocketUri
  const rejection =
    uri === undefined ? undefined : describeRejectedUri(server, uri, __DEVELOPMENT__)
  if (uri !== undefined && rejection === UNNAMED_SERVER) {
    await reportUnnamedServers(server, { serverOrigins: [`https://${new URL(uri).host}`] })
  }
  const id = getChannelId({ issuer, clientId })
  await runInChannelQueue(id, async () => {
    const {
      violations = 0,
      violatedAtMs = 0,
      dueAtMs,
      rejection: earlier,
    } = (await channels.get(id)) ?? ({} as Partial<Channel>)
    if (rejection !== undefined && rejection !== earlier) {
      log.record('operator', `websocketUri rejected: ${rejection}`, { issuer })
    }
    await channels.set(id, {
      issuer,
      clientId,
      ...(uri !== undefined && { websocketUri: uri }),
      ...(rejection !== undefined && { rejection }),
      failures: 0,
      violations,
      violatedAtMs,
      dueAtMs: violations > 0 ? (dueAtMs ?? 0) : 0,
    })
  })
}

async function handleMessage(channel: Channel, text: string): Promise<void> {
  const notification = readNotification(channel, text)
  if (notification) await handleNotification(getChannelId(channel), channel, notification)
}

function disconnect(id: string): void {
  sockets.get(id)?.close()
  sockets.delete(id)
}

/**
 * Connects a channel whose back-off is over. Runs in the queue of the channel. The profile may have changed since
 * the negotiation, so the address is checked again: a server that the profile no longer names is disconnected, and
 * one that it names by now is connected.
 */
async function connect(id: string): Promise<void> {
  const channel = await channels.get(id)
  if (channel?.websocketUri === undefined) return
  const { websocketUri } = channel
  const server = await findOperator(channel.issuer)
  if (!server || describeRejectedUri(server, websocketUri, __DEVELOPMENT__)) return disconnect(id)
  if (sockets.has(id) || !(await isDue(channel))) return
  try {
    await requireAnonymousRequest(websocketUri.replace(/^ws/, 'http'))
    const socket = openNotificationSocket(id, websocketUri, getServerOrigins(server), {
      onOpen: () => void runInChannelQueue(id, () => recordSuccess(id)),
      onMessage: (text) => void handleMessage(channel, text).catch(() => {}),
      onClose: (violation) => void runInChannelQueue(id, () => handleClose(id, socket, violation)),
    })
    sockets.set(id, socket)
  } catch {
    await recordFailure(id)
  }
}

/** Stores the back-off before the socket is forgotten: until then no other connection can be made. */
async function handleClose(
  id: string,
  socket: NotificationSocket,
  violation: Violation | undefined,
): Promise<void> {
  if (sockets.get(id) !== socket) return
  const stored = violation === undefined ? recordFailure(id) : recordViolation(id, violation)
  await stored.finally(() => sockets.delete(id))
}

async function recordSuccess(id: string): Promise<void> {
  const channel = await channels.get(id)
  if (channel && channel.failures > 0)
    await channels.set(id, { ...channel, failures: 0, dueAtMs: 0 })
}

async function recordFailure(id: string): Promise<void> {
  const channel = await channels.get(id)
  if (!channel) return
  const failures = channel.failures + 1
  await setBackoff(id, { ...channel, failures }, failures)
}

async function recordViolation(id: string, violation: Violation): Promise<void> {
  const channel = await channels.get(id)
  if (!channel) return
  const { issuer, violations = 0, violatedAtMs = 0 } = channel
  log.record('operator', `revocation channel closed: ${violation}`, { issuer })
  const now = Date.now()
  const isForgotten = now - violatedAtMs > CAPIF_VIOLATION_MEMORY_MS
  const count = isForgotten ? 1 : violations + 1
  await setBackoff(id, { ...channel, violations: count, violatedAtMs: now }, count)
}

/** Stores a channel with the back-off that follows from a number of failures in a row. */
async function setBackoff(id: string, channel: Channel, failures: number): Promise<void> {
  const dueAtMs = Date.now() + computeBackoffMs(failures, BACKOFF, randomFraction())
  await channels.set(id, { ...channel, dueAtMs })
  await wakeAt(dueAtMs)
}

/** Tells whether the back-off of a channel is over. Otherwise an alarm is set to its end. */
async function isDue(channel: Channel | undefined): Promise<boolean> {
  if (!channel || channel.dueAtMs <= Date.now()) return true
  await wakeAt(channel.dueAtMs)
  return false
}

async function closeChannel(id: string): Promise<void> {
  disconnect(id)
  await channels.delete(id)
}

/**
 * Lists the channels that are needed: one for each client with a grant at a CAPIF operator.
 *
 * @returns A grant of the client and the operator, by channel.
 */
async function listNeededChannels(): Promise<
  Map<string, { grant: GrantRecord; server: OperatorProfile }>
> {
  const needed = new Map<string, { grant: GrantRecord; server: OperatorProfile }>()
  for (const grant of await listAllGrants()) {
    const server = await findOperator(grant.issuer)
    if (server?.profile === 'capif') needed.set(getChannelId(grant), { grant, server })
  }
  return needed
}

/**
 * Negotiates for a grant that has no channel, then connects. A grant outlives the browser session; a channel does
 * not, since its record is sealed with a key of that session.
 */
async function openMissingChannel(
  id: string,
  grant: GrantRecord,
  server: OperatorProfile,
): Promise<void> {
  const { issuer, clientId, apis } = grant
  const channel = await channels.get(id)
  const isOpen = channel && (channel.websocketUri !== undefined || channel.failures === 0)
  if (isOpen || !(await isDue(channel))) return
  try {
    await openChannel(server, clientId, apis)
  } catch {
    await runInChannelQueue(id, async () => {
      const stored = await channels.get(id)
      if (!stored) await channels.set(id, { issuer, clientId, failures: 0, dueAtMs: 0 })
      await recordFailure(id)
    })
  }
  await runInChannelQueue(id, () => connect(id))
}

/**
 * Connects to each CAPIF core at which a grant exists, and disconnects from the others. A channel of a client
 * without a grant stays while a flow of its issuer is pending. The promise does not wait for the cores with
 * which the security method has to be negotiated first.
 */
export async function listenForRevocations(): Promise<void> {
  const needed = await listNeededChannels()
  const stored = await channels.all()
  const pending = stored.length === 0 ? [] : await flows.all()
  const updates = stored.map(({ issuer, clientId }) => {
    const id = getChannelId({ issuer, clientId })
    const isNeeded = needed.has(id) || pending.some(({ request }) => request.issuer === issuer)
    return runInChannelQueue(id, () => (isNeeded ? connect(id) : closeChannel(id)))
  })
  for (const [id, { grant, server }] of needed) {
    negotiations.run(id, () => openMissingChannel(id, grant, server)).catch(() => {})
  }
  await Promise.all(updates)
}

let isUpdateScheduled = false

/**
 * Updates the channels after a change of the grants or the operators, once for all changes of a task. A core to
 * which no grant leads any more must not see when this device is online, and at which address.
 */
function scheduleUpdate(): void {
  if (isUpdateScheduled) return
  isUpdateScheduled = true
  queueMicrotask(() => {
    isUpdateScheduled = false
    // A failure changes no decision: the housekeeping updates the channels again.
    listenForRevocations().catch(() => {})
  })
}

onGrantEnd(scheduleUpdate)
onOperatorsChanged(scheduleUpdate)

export const sweepChannels = (): Promise<void> => channels.sweep()
