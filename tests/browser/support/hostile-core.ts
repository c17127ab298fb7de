/**
 * Plays a CAPIF core that notifies at an address of its own, as a test defines. It records the handshakes, which are
 * the oracle for what the browser sent with them.
 */

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Network } from '../../../demo-site/network/index.ts'

export interface Handshake {
  headers: IncomingHttpHeaders
  socket: WebSocket
  /** Resolves to the close code of the broker. */
  closed: Promise<number>
}

export interface HostileCore {
  port: number
  /** All handshakes so far. */
  handshakes: Handshake[]
  /** Waits for a handshake, counted from 0, until the browser has processed the answer: it answers a ping. */
  handshake(index: number): Promise<Handshake>
  close(): Promise<void>
}

/** @param answerHeaders Header fields of the answer to a handshake. */
export async function startHostileCore(answerHeaders: string[] = []): Promise<HostileCore> {
  const http = createServer((_, answer) => answer.writeHead(404).end())
  const sockets = new WebSocketServer({ server: http })
  const handshakes: Handshake[] = []
  const processed: Handshake[] = []
  const waiting = new Set<() => void>()
  sockets.on('headers', (headers) => headers.push(...answerHeaders))
  sockets.on('connection', (socket, { headers }) => {
    const closed = new Promise<number>((resolve) => socket.on('close', resolve))
    const handshake = { headers, socket, closed }
    socket.on('error', () => socket.terminate())
    handshakes.push(handshake)
    socket.once('pong', () => {
      processed.push(handshake)
      for (const check of waiting) check()
    })
    socket.ping()
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    port: (http.address() as AddressInfo).port,
    handshakes,
    handshake: (index) =>
      new Promise((resolve) => {
        const check = () => {
          const found = processed[index]
          if (!found) return
          waiting.delete(check)
          resolve(found)
        }
        waiting.add(check)
        check()
      }),
    async close() {
      for (const { socket } of handshakes) socket.terminate()
      sockets.close()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

/** Lets the operator's core name this address for its notifications. */
export function nameWebsocketUri({ faults }: Network, websocketUri: string): void {
  const security = {
    securityInfo: [{ selSecurityMethod: 'OAUTH', grantType: ['AUTHORIZATION_CODE_WITH_PKCE'] }],
    websockNotifConfig: { websocketUri },
  }
  faults.add({
    path: '*/trustedInvokers/*',
    method: 'PUT',
    action: {
      type: 'status',
      status: 201,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(security),
    },
  })
}
