/** Starts an API that answers at once, so that a measurement contains the round trip only. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const BODIES: Readonly<Record<string, Buffer>> = {
  '/v1/small': Buffer.alloc(1024, 'northkey'),
  '/v1/large': Buffer.alloc(1024 * 1024, 'northkey'),
}

export interface Api {
  resource: string
  close(): void
}

export async function startApi(): Promise<Api> {
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', 'authorization')
    response.setHeader('access-control-max-age', '600')
    if (request.method === 'OPTIONS') return response.writeHead(204).end()
    const body = BODIES[request.url ?? '']
    if (!body || !request.headers.authorization) return response.writeHead(401).end()
    response.setHeader('content-type', 'application/octet-stream')
    return response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    resource: `http://127.0.0.1:${port}/v1`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
