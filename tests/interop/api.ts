/**
 * Serves the northbound APIs of the runs: any path answers what the API found in the access token. A token that is a
 * JWT has to have a valid signature of the issuer; an opaque token is taken as it is.
 */

import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'

export interface ApiServer {
  /** Header fields of each call, in order. */
  calls: IncomingHttpHeaders[]
  close(): Promise<void>
}

function isJwt(token: string): boolean {
  try {
    decodeProtectedHeader(token)
    return true
  } catch {
    return false
  }
}

/** @param jwksUri Key set of the issuer. */
export async function startApi(port: number, jwksUri: string | undefined): Promise<ApiServer> {
  const calls: IncomingHttpHeaders[] = []
  const keys = jwksUri === undefined ? undefined : createRemoteJWKSet(new URL(jwksUri))
  async function judgeToken(token: string): Promise<object> {
    if (!keys || !isJwt(token)) return { token: 'opaque' }
    const { payload } = await jwtVerify(token, keys)
    return { token: 'JWT', scope: payload.scope, aud: payload.aud }
  }
  const server = createServer((request, response) => {
    calls.push(request.headers)
    const [, token = ''] = /^(?:Bearer|DPoP) (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    judgeToken(token).then(
      (found) => {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(found))
      },
      (error: Error) => response.writeHead(401).end(error.message),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    calls,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
