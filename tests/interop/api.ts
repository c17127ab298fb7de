/**
 * Serves the northbound APIs of the runs, at any path, and remembers what each call had as access token. A token that is a
 * JWT has to have a valid signature of the issuer; an opaque token is taken as it is.
 */

import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'

export interface ApiCall {
  headers: IncomingHttpHeaders
  /** What the API found in the token. */
  token: string
}

export interface ApiServer {
  /** The calls, in order. */
  calls: ApiCall[]
  close(): Promise<void>
}

/** A JWS has three parts; a JWE, which only its issuer can read, has five. */
function isJws(token: string): boolean {
  try {
    return token.split('.').length === 3 && decodeProtectedHeader(token).alg !== undefined
  } catch {
    return false
  }
}

/** @param jwksUri Key set of the issuer. */
export async function startApi(port: number, jwksUri: string | undefined): Promise<ApiServer> {
  const calls: ApiCall[] = []
  const keys = jwksUri === undefined ? undefined : createRemoteJWKSet(new URL(jwksUri))
  async function judgeToken(token: string): Promise<string> {
    if (!keys || !isJws(token)) return 'opaque token'
    const { payload } = await jwtVerify(token, keys)
    return `JWT with scope ${JSON.stringify(payload.scope)}, aud ${JSON.stringify(payload.aud)}`
  }
  const server = createServer((request, response) => {
    const { headers } = request
    const [, token = ''] = /^(?:Bearer|DPoP) (\S+)$/.exec(headers.authorization ?? '') ?? []
    judgeToken(token).then(
      (found) => {
        calls.push({ headers, token: found })
        response.setHeader('content-type', 'application/json')
        response.end('{}')
      },
      ({ message }: Error) => {
        calls.push({ headers, token: message })
        response.writeHead(401).end()
      },
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
