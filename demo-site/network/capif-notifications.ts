/**
 * Sends CAPIF and T8 notifications over WebSocket, for clients that cannot host a callback. Each subscription that
 * requests it gets a channel of its own, whose URI ends in a random segment. Notifications for a channel without
 * a connection are queued until the first connection.
 * @see TS 29.122 clause 5.2.5.4, TS 29.222 clause 7.6
 */

import { randomBytes } from 'node:crypto'
import { type WebSocket, WebSocketServer } from 'ws'
import type { UpgradeHandler } from './http/serve.ts'

const MAX_UNSENT = 50

interface Channel {
  sockets: Set<WebSocket>
  /** Notifications that were sent while no WebSocket was connected. */
  unsent: string[]
}

export class CapifNotifications {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 })
  readonly #channels = new Map<string, Channel>()
  readonly #origin: string
  readonly #path: string

  /** @param origin Origin of the HTTP server, `http://…`. */
  constructor(origin: string, path: string) {
    this.#origin = origin
    this.#path = path
  }

  /** Opens a channel and returns its `websocketUri`. */
  openChannel(): string {
    const id = randomBytes(24).toString('base64url')
    this.#channels.set(id, { sockets: new Set(), unsent: [] })
    return `${this.#origin.replace(/^http/, 'ws')}${this.#path}/${id}`
  }

  /** Sends to all connections of a channel; without one, queues the notification for the first connection. */
  send(uri: string | undefined, message: object): void {
    const channel = this.#channels.get(uri?.split('/').at(-1) ?? '')
    if (!channel) return
    const text = JSON.stringify(message)
    if (channel.sockets.size === 0) channel.unsent = [...channel.unsent, text].slice(-MAX_UNSENT)
    for (const socket of channel.sockets) socket.send(text)
  }

  closeChannel(uri: string | undefined): void {
    const id = uri?.split('/').at(-1) ?? ''
    for (const socket of this.#channels.get(id)?.sockets ?? []) socket.close(1000)
    this.#channels.delete(id)
  }

  readonly handleUpgrade: UpgradeHandler = (request, socket, head) => {
    const path = new URL(request.url ?? '/', this.#origin).pathname
    const id = path.startsWith(`${this.#path}/`) ? path.slice(this.#path.length + 1) : ''
    const channel = this.#channels.get(id)
    if (!channel) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      channel.sockets.add(webSocket)
      webSocket.on('close', () => channel.sockets.delete(webSocket))
      webSocket.on('error', () => webSocket.terminate())
      for (const text of channel.unsent.splice(0)) webSocket.send(text)
    })
  }

  close(): void {
    for (const { sockets } of this.#channels.values()) {
      for (const socket of sockets) socket.terminate()
    }
    this.#channels.clear()
    this.#server.close()
  }
}
