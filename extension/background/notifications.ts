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
} from '../../shared/core/index.ts'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import type { ApiAccess } from '../../shared/messages/page-api.ts'
import { effects } from './effects.ts'
import { allGrants, type GrantRecord } from './grants.ts'
import { wakeAt } from './housekeeping-alarm.ts'
import { endGrant } from './revoke.ts'
import { createSealedStore } from './sealed-store.ts'
import { sealingKey } from './sealing-key.ts'
import { grantIdOfToken } from './tokens.ts'

interface Channel {
  issuer: string
  clientId: string
  websocketUri: string
}

/** Traffic at this pace keeps the worker, and with it the connection, alive. */
const KEEP_ALIVE_MS = 20_000
const RECONNECT_MS = 30_000

const channels = createSealedStore<Channel>('channels', sealingKey)
const sockets = new Map<string, WebSocket>()

const idOf = (issuer: string, clientId: string) => `${issuer} ${clientId}`

function isAllowed(uri: string): boolean {
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
  const settled = await negotiateSecurity(server, clientId, scopes, effects())
  const websocketUri = settled?.websocketUri
  if (websocketUri === undefined || !isAllowed(websocketUri)) return
  await channels.set(idOf(issuer, clientId), { issuer, clientId, websocketUri })
}

async function concerned(
  { issuer, clientId }: Channel,
  notification: SecurityNotification,
): Promise<GrantRecord[]> {
  const { apiInvokerId, accessToken } = notification
  if (apiInvokerId !== clientId) return []
  const grants = (await allGrants()).filter(
    (grant) => grant.issuer === issuer && grant.clientId === clientId,
  )
  if (accessToken === undefined) return grants
  const grantId = await grantIdOfToken(accessToken)
  return grants.filter((grant) => grant.grantId === grantId)
}

async function heard(channel: Channel, text: unknown): Promise<void> {
  let notification: SecurityNotification
  try {
    notification = parseSecurityNotification(JSON.parse(String(text)))
  } catch {
    return
  }
  for (const grant of await concerned(channel, notification)) {
    await endGrant(grant, 'network', notification.cause)
  }
  await closeUnused(await channels.all())
}

function connect(channel: Channel): void {
  const id = idOf(channel.issuer, channel.clientId)
  if (sockets.has(id)) return
  const socket = new WebSocket(channel.websocketUri)
  sockets.set(id, socket)
  const timer = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.send('')
  }, KEEP_ALIVE_MS)
  socket.onmessage = ({ data }) => void heard(channel, data)
  socket.onclose = () => {
    clearInterval(timer)
    if (sockets.get(id) !== socket) return
    sockets.delete(id)
    void wakeAt(Date.now() + RECONNECT_MS)
  }
}

async function closeUnused(known: Channel[]): Promise<void> {
  const grants = known.length === 0 ? [] : await allGrants()
  for (const { issuer, clientId } of known) {
    if (grants.some((grant) => grant.issuer === issuer && grant.clientId === clientId)) continue
    const id = idOf(issuer, clientId)
    await channels.delete(id)
    const socket = sockets.get(id)
    sockets.delete(id)
    socket?.close()
  }
}

/** Listens to every core at which there is a living grant, and to no other. */
export async function listen(): Promise<void> {
  await closeUnused(await channels.all())
  for (const channel of await channels.all()) connect(channel)
}

export const sweepChannels = (): Promise<void> => channels.sweep()
