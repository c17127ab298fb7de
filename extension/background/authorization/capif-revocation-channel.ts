/**
 * What a CAPIF core says by itself: that an authorization has been taken back. The core is heard over a
 * WebSocket, since a UE can host no callback. Tokens are dropped at once, and the page is told the cause.
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
  /** Absent where the core tells nothing by itself. */
  websocketUri?: string
  /** Connections that broke, or were never made, since the last that worked. */
  failures: number
  /** Not before. */
  dueAtMs: number
}

const channels = openSealedStore<Channel>('channels')
const sockets = new Map<string, WebSocket>()
/** One change of the channels at a time. */
const runInChannelQueue = createSerialQueue()

const channelId = (issuer: string, clientId: string) => `${issuer} ${clientId}`

function isAllowedUri(uri: string): boolean {
  if (!URL.canParse(uri)) return false
  const { protocol, hostname } = new URL(uri)
  const loopback = hostname === 'localhost' || hostname === '127.0.0.1'
  return protocol === 'wss:' || (__DEVELOPMENT__ && protocol === 'ws:' && loopback)
}

/** Settles with the core how its APIs are used, and remembers where it tells of revocations. */
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
  await channels.set(channelId(issuer, clientId), {
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
  const id = channelId(channel.issuer, channel.clientId)
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

/** Only once the pause is written down may another connection be made. */
async function handleClose(id: string, socket: WebSocket): Promise<void> {
  if (sockets.get(id) !== socket) return
  await recordFailure(id).finally(() => sockets.delete(id))
}

/** Each failure in a row doubles the pause. */
async function setFailures(id: string, failuresAfter: (failures: number) => number): Promise<void> {
  const channel = await channels.get(id)
  if (!channel) return
  const failures = failuresAfter(channel.failures)
  if (failures === channel.failures) return
  const pause =
    failures === 0
      ? 0
      : Math.min(LONGEST_CAPIF_PAUSE_MS, FIRST_CAPIF_PAUSE_MS * 2 ** (failures - 1))
  const dueAtMs = Date.now() + pause
  await channels.set(id, { ...channel, failures, dueAtMs })
  if (failures > 0) await wakeAt(dueAtMs)
}

const recordSuccess = (id: string) => setFailures(id, () => 0)
const recordFailure = (id: string) => setFailures(id, (failures) => failures + 1)

/** A channel serves the grants of its client, and those that a user is just making. */
async function closeUnusedChannels(grants: GrantRecord[]): Promise<void> {
  const known = await channels.all()
  const pending = known.length === 0 ? [] : await flows.all()
  for (const { issuer, clientId } of known) {
    if (grants.some((grant) => grant.issuer === issuer && grant.clientId === clientId)) continue
    if (pending.some(({ request }) => request.issuer === issuer)) continue
    const id = channelId(issuer, clientId)
    await channels.delete(id)
    const socket = sockets.get(id)
    sockets.delete(id)
    socket?.close()
  }
}

/** A grant outlives the browser session, and what is sealed does not: its channel is opened anew. */
async function openMissingChannels(): Promise<void> {
  for (const { issuer, clientId, apis } of await listAllGrants()) {
    const server = await findOperator(issuer)
    if (server?.profile !== 'capif') continue
    const id = channelId(issuer, clientId)
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
 * Listens to every core at which there is a living grant, and to no other. Cores that have to be asked
 * first are not waited for.
 */
export async function listenForRevocations(): Promise<void> {
  await runInChannelQueue(connectDueChannels)
  runInChannelQueue(openMissingChannels).catch(() => {})
}

export const sweepChannels = (): Promise<void> => channels.sweep()
