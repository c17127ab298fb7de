/**
 * The rest of the world: an HTTP proxy behind which every host is the same server with a certificate of
 * its own making, which remembers each request. What a browser sends beyond loopback ends here, the
 * redirect URI's host included.
 */

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { generate } from 'selfsigned'

export interface Outside {
  /** `host:port` of the proxy. */
  address: string
  /** URL of each request, in order. */
  requests: string[]
  /** Headers of each of them. */
  headers: IncomingHttpHeaders[]
  /** Host of each connection, in order: it comes before a request, and may come without one. */
  connections: string[]
  close(): Promise<void>
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

export async function startOutside(): Promise<Outside> {
  const requests: string[] = []
  const headers: IncomingHttpHeaders[] = []
  const connections: string[] = []
  function answer(request: IncomingMessage, response: ServerResponse): void {
    requests.push(new URL(request.url ?? '/', `https://${request.headers.host}`).href)
    headers.push(request.headers)
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Outside</title>')
  }
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'outside.invalid' }])
  const inner = createTlsServer({ key, cert }, answer)
  await listen(inner)
  const proxy = createServer(answer)
  proxy.on('connect', ({ url }, socket) => {
    connections.push((url ?? '').split(':')[0] ?? '')
    socket.on('error', () => socket.destroy())
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    inner.emit('connection', socket)
  })
  const port = await listen(proxy)
  return {
    address: `127.0.0.1:${port}`,
    requests,
    headers,
    connections,
    async close() {
      for (const server of [proxy, inner]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}
