/**
 * Receives CAPIF revocation notifications over WebSocket: a UE cannot host the callback endpoint that
 * CAPIF would otherwise call. A notification ends the grants that it names: their tokens are dropped at
 * once, and the page gets an event with the cause.
 *
 * There is one channel for each issuer and client. A WebSocket keep-alive (heartbeat) keeps the
 * connection and the worker alive. A lost connection is made again after an exponential back-off, which
 * is stored before the next attempt, so that a worker that is restarted does not reconnect too early.
 * An alarm wakes the worker when the back-off is over.
 *
 * Border: `shared/core` negotiates the security method and parses notifications; `grants/end-grant.ts`
 * ends a grant.
 *
 * @see TS 29.222 clauses 7.6 and 8.5.4.2.5 (SecurityNotification)
 */

import {
  negotiateSecurity,
  parseSecurityNotification,
  type SecurityNotification,
} from '../../../shared/core/index.ts'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import type { ApiAccess } from '../../../shared/messages/page-api.ts'
import { CAPIF_KEEP_ALIVE_MS, FIRST_CAPIF_PAUSE_MS, LONGEST_CAPIF_PAUSE_MS } from '../../limits.ts'
import { endGrant } from '../grants/end-grant.ts'
import { type GrantRecord, listAllGrants } from '../grants/grants.ts'
import { findGrantIdByToken } from '../grants/token-records.ts'
import { findOperator } from '../operators/operators.ts'
import { createEffects } from '../platform/effects.ts'
import { wakeAt } from '../platform/housekeeping-alarm.ts'
import { openSealedStore } from '../platform/open-sealed-store.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'
import { flows } from './flow-records.ts'

interface Channel {
  issuer: string
  clientId: string
  /** Absent for a core that sends no notifications. */
  websocketUri?: string
  /** Number of failed and lost connections since the last connection that opened. */
  failures: number
  /** End of the back-off: earliest time of the next attempt, in milliseconds since the epoch. */
  dueAtMs: number
}

const channels = openSealedStore<Channel>('channels')
const sockets = new Map<string, WebSocket>()
/** Runs changes of the channels one after the other. */
const runInChannelQueue = createSerialQueue()

const getChannelId = (issuer: string, clientId: string) => `${issuer} ${clientId}`

function isAllowedUri(uri: string): boolean {
  if (!URL.canParse(uri)) return false
  const { protocol, hostname } = new URL(uri)
  const loopback = hostname === 'localhost' || hostname === '127.0.0.1'
  return protocol === 'wss:' || (__DEVELOPMENT__ && protocol === 'ws:' && loopback)
}

/**
 * Negotiates the security method of the APIs with the core, and stores the address at which the core
 * sends notifications.
 *
 * @see TS 29.222 clause 8.5
 */
export async function openChannel(
  server: OperatorProfile,
  clientId: string,
  apis: ApiAccess[],
): Promise<void> {
  const { issuer } = server
  const scopes = apis.map(({ scope }) => scope)
  const websocketUri = (await negotiateSecurity(server, clientId, scopes, createEffects()))
    ?.websocketUri
  const usable = websocketUri !== undefined && isAllowedUri(websocketUri)
  await channels.set(getChannelId(issuer, clientId), {
    issuer,
    clientId,
    ...(usable && { websocketUri }),
    failures: 0,
    dueAtMs: 0,
  })
}

async function findRevokedGrants(
  { issuer, clientId }: Channel,
  notification: SecurityNotification,
): Promise<GrantRecord[]> {
  const { apiInvokerId, accessToken } = notification
  if (apiInvokerId !== clientId) return []
  const grants = (await listAllGrants()).filter(
    (grant) => grant.issuer === issuer && grant.clientId === clientId,
  )
  if (accessToken === undefined) return grants
  const grantId = await findGrantIdByToken(accessToken)
  return grants.filter((grant) => grant.grantId === grantId)
}

async function handleNotification(channel: Channel, text: unknown): Promise<void> {
  let notification: SecurityNotification
  try {
    notification = parseSecurityNotification(JSON.parse(String(text)))
  } catch {
    return
  }
  for (const grant of await findRevokedGrants(channel, notification)) {
    await endGrant(grant, 'network', notification.cause)
  }
  await listenForRevocations()
}

function openSocket(channel: Channel, websocketUri: string): void {
  const id = getChannelId(channel.issuer, channel.clientId)
  if (sockets.has(id)) return
  const socket = new WebSocket(websocketUri)
  sockets.set(id, socket)
  const timer = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.send('')
  }, CAPIF_KEEP_ALIVE_MS)
  socket.onopen = () => void runInChannelQueue(() => recordSuccess(id))
  socket.onmessage = ({ data }) => void handleNotification(channel, data)
  socket.onclose = () => {
    clearInterval(timer)
    void runInChannelQueue(() => handleClose(id, socket))
  }
}

/** Stores the back-off before the socket is forgotten: until then no other connection can be made. */
async function handleClose(id: string, socket: WebSocket): Promise<void> {
  if (sockets.get(id) !== socket) return
  await recordFailure(id).finally(() => sockets.delete(id))
}

/**
 * Stores the number of failures and the back-off that follows from it: each failure in a row doubles
 * it.
 */
async function setFailures(id: string, failuresAfter: (failures: number) => number): Promise<void> {
  const channel = await channels.get(id)
  if (!channel) return
  const failures = failuresAfter(channel.failures)
  if (failures === channel.failures) return
  const backoffMs =
    failures === 0
      ? 0
      : Math.min(LONGEST_CAPIF_PAUSE_MS, FIRST_CAPIF_PAUSE_MS * 2 ** (failures - 1))
  const dueAtMs = Date.now() + backoffMs
  await channels.set(id, { ...channel, failures, dueAtMs })
  if (failures > 0) await wakeAt(dueAtMs)
}

const recordSuccess = (id: string) => setFailures(id, () => 0)
const recordFailure = (id: string) => setFailures(id, (failures) => failures + 1)

/** Closes the channels of clients that have no grant, and for whose issuer no flow is pending. */
async function closeUnusedChannels(grants: GrantRecord[]): Promise<void> {
  const stored = await channels.all()
  const pending = stored.length === 0 ? [] : await flows.all()
  for (const { issuer, clientId } of stored) {
    if (grants.some((grant) => grant.issuer === issuer && grant.clientId === clientId)) continue
    if (pending.some(({ request }) => request.issuer === issuer)) continue
    const id = getChannelId(issuer, clientId)
    await channels.delete(id)
    const socket = sockets.get(id)
    sockets.delete(id)
    socket?.close()
  }
}

/**
 * Opens a channel for each CAPIF grant that has none. A grant outlives the browser session; a channel
 * does not, since its record is sealed with a key of that session.
 */
async function openMissingChannels(): Promise<void> {
  for (const { issuer, clientId, apis } of await listAllGrants()) {
    const server = await findOperator(issuer)
    if (server?.profile !== 'capif') continue
    const id = getChannelId(issuer, clientId)
    const channel = await channels.get(id)
    const isOpen = channel && (channel.websocketUri !== undefined || channel.failures === 0)
    if (isOpen || !(await isDue(channel))) continue
    await openChannel(server, clientId, apis).catch(async () => {
      if (!channel) await channels.set(id, { issuer, clientId, failures: 0, dueAtMs: 0 })
      await recordFailure(id)
    })
  }
  await connectDueChannels()
}

/** Tells whether the back-off of a channel is over. Otherwise an alarm is set to its end. */
async function isDue(channel: Channel | undefined): Promise<boolean> {
  if (!channel || channel.dueAtMs <= Date.now()) return true
  await wakeAt(channel.dueAtMs)
  return false
}

async function connectDueChannels(): Promise<void> {
  await closeUnusedChannels(await listAllGrants())
  for (const channel of await channels.all()) {
    const { websocketUri } = channel
    if (websocketUri !== undefined && (await isDue(channel))) openSocket(channel, websocketUri)
  }
}

/**
 * Connects to each CAPIF core at which a grant exists, and disconnects from the others. The promise
 * does not wait for the cores with which the security method has to be negotiated first.
 */
export async function listenForRevocations(): Promise<void> {
  await runInChannelQueue(connectDueChannels)
  runInChannelQueue(openMissingChannels).catch(() => {})
}

export const sweepChannels = (): Promise<void> => channels.sweep()
