/**
 * Serves the user plane: the data of the demo passes here and is shaped by the QoS session of the subscriber.
 * `/stream` is an endless download. `/datagrams` is a WebSocket that echoes datagrams with latency and loss.
 * @see TS 23.501 clause 5.7 for the effect of QoS on data
 */

import { randomBytes } from 'node:crypto'
import { type WebSocket, WebSocketServer } from 'ws'
import type { RecordedRequest } from '../http/recorded-request.ts'
import type { Answer, RunningServer } from '../http/serve.ts'
import type { SubscriberAddresses } from './addresses.ts'
import { BEST_EFFORT, type QosProfile } from './qos-profiles.ts'
import type { QosSessions } from './qos-sessions.ts'
import { TokenBucket } from './token-bucket.ts'

const TICK_MS = 20
const CHUNK = randomBytes(64 * 1024)

export interface UserPlane {
  close(): void
}

export function startUserPlane(
  server: RunningServer,
  addresses: SubscriberAddresses,
  sessions: QosSessions,
): UserPlane {
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 })
  const timers = new Set<NodeJS.Timeout>()

  function profileAt(address: string | undefined): QosProfile {
    const subscriber = addresses.subscriberAt(address)
    return subscriber === undefined ? BEST_EFFORT : sessions.profileOf(subscriber)
  }

  server.handle((request, answer) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://user-plane.invalid')
    answer.setHeader('Access-Control-Allow-Origin', '*')
    answer.setHeader('Cache-Control', 'no-store')
    const address = request.socket.remoteAddress
    if (request.method === 'GET' && pathname === '/stream') {
      sendStream(request, answer, Number(searchParams.get('seconds') ?? Number.POSITIVE_INFINITY))
    } else if (request.method === 'GET' && pathname === '/qos') {
      answer.writeHead(200, { 'content-type': 'application/json' })
      answer.end(JSON.stringify(profileAt(address)))
    } else {
      answer.writeHead(404).end()
    }
  })

  function sendStream(request: RecordedRequest, answer: Answer, seconds: number): void {
    const address = request.socket.remoteAddress
    const bucket = new TokenBucket(() => profileAt(address).downlinkBitsPerSecond)
    const endsAt = performance.now() + seconds * 1000
    answer.writeHead(200, { 'content-type': 'application/octet-stream' })
    const timer = setInterval(() => {
      let bytes = bucket.takeBytes()
      // Back-pressure: a reader that is slower than the network gets only what it can take.
      if (answer.writableNeedDrain) return
      for (; bytes > 0; bytes -= CHUNK.length) answer.write(CHUNK.subarray(0, bytes))
      if (performance.now() >= endsAt) answer.end()
    }, TICK_MS)
    timers.add(timer)
    answer.once('close', () => {
      clearInterval(timer)
      timers.delete(timer)
    })
  }

  server.handleUpgrade((request, socket, head) => {
    if (new URL(request.url ?? '/', 'http://user-plane.invalid').pathname !== '/datagrams') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const address = request.socket.remoteAddress
    webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      echoDatagrams(webSocket, address),
    )
  })

  function echoDatagrams(webSocket: WebSocket, address: string | undefined): void {
    webSocket.on('error', () => webSocket.terminate())
    webSocket.on('message', (data, isBinary) => {
      const { latencyMs, loss } = profileAt(address)
      if (Math.random() < 1 - (1 - loss) ** 2) return
      const timer = setTimeout(() => {
        timers.delete(timer)
        webSocket.send(data, { binary: isBinary })
      }, 2 * latencyMs)
      timers.add(timer)
    })
  }

  return {
    close() {
      for (const timer of timers) clearTimeout(timer)
      for (const webSocket of webSockets.clients) webSocket.terminate()
      webSockets.close()
    },
  }
}
