/**
 * Simulates all hosts beyond loopback: an HTTP proxy behind which every host is the same server, with a
 * certificate that it signs itself. The server records every request. All requests of a browser beyond
 * loopback end here, including requests to the host of the redirect URI.
 */

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { generate } from 'selfsigned'

export interface OutsideRequest {
  url: URL
  headers: IncomingHttpHeaders
  body: string
}

export interface OutsideAnswer {
  status?: number
  headers?: Record<string, string>
  body?: string
}

export interface Outside {
  /** `host:port` of the proxy. */
  address: string
  /** URL of each request, in order. */
  requests: string[]
  /** Header fields of each request, in the same order. */
  headers: IncomingHttpHeaders[]
  /** Host of each connection, in order. A connection precedes a request, and may stay without a request. */
  connections: string[]
  /** Responses by method and URL without query, as in `GET https://a.example/b`. */
  answers: Map<string, (request: OutsideRequest) => OutsideAnswer>
  /** Clears all requests and responses. */
  reset(): void
  close(): Promise<void>
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const part of request) body += part
  return body
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
  const answers: Outside['answers'] = new Map()
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `https://${request.headers.host}`)
    requests.push(url.href)
    headers.push(request.headers)
    const own = answers.get(`${request.method} ${url.origin}${url.pathname}`)
    const page: OutsideAnswer = {
      headers: { 'content-type': 'text/html' },
      body: '<title>Outside</title>',
    }
    const { status = 200, ...rest } =
      own?.({ url, headers: request.headers, body: await bodyOf(request) }) ?? page
    response.writeHead(status, rest.headers).end(rest.body)
  }
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'outside.invalid' }])
  const inner = createTlsServer({ key, cert }, answer)
  await listen(inner)
  const proxy = createServer(answer)
  const tunnels = new Set<Duplex>()
  proxy.on('connect', ({ url }, socket) => {
    connections.push((url ?? '').split(':')[0] ?? '')
    tunnels.add(socket)
    socket.once('close', () => tunnels.delete(socket))
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
    answers,
    reset() {
      for (const list of [requests, headers, connections]) list.length = 0
      answers.clear()
    },
    async close() {
      // No server closes a tunnel that a browser left before its first request: their time limits are 60 s and more.
      for (const tunnel of tunnels) tunnel.destroy()
      for (const server of [proxy, inner]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}
