/**
 * Serves a UE application for tests: bare pages on their own origins, with a client for the provider
 * convention, and a log of every request that reached them.
 */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ApplicationServer {
  origin: string
  port: number
  /** Method and target of each request, in order. */
  requests: string[]
  /** Paths with their own responses: HTML around the script of the page, or `raw` without it. */
  routes: Map<string, { html: string; raw?: boolean; headers?: Record<string, string> }>
  close(): Promise<void>
}

/** Globals of every page: every message that it received, and the provider after a request for it. */
const PAGE_SCRIPT = `
window.seen = []
window.addEventListener('message', (event) => window.seen.push(event.data))
window.broker = (timeoutMs = 3000) => new Promise((resolve) => {
  window.addEventListener('northbound:announceProvider', (event) => {
    window.detail = event.detail
    resolve(event.detail)
  }, { once: true })
  window.dispatchEvent(new Event('northbound:requestProvider'))
  setTimeout(resolve, timeoutMs, undefined)
})
window.call = async (method, params) => {
  try {
    const { provider } = window.detail ?? (await window.broker())
    const result = await provider.request({ method, params })
    window.seen.push(result)
    return { result }
  } catch (error) {
    const plain = { code: error.code, message: error.message, data: error.data, isError: error instanceof Error }
    window.seen.push(plain)
    return { error: plain }
  }
}
`

/** @param wanted The port. By default, any free port. */
export async function startApplication(host = '127.0.0.1', wanted = 0): Promise<ApplicationServer> {
  const requests: string[] = []
  const routes: ApplicationServer['routes'] = new Map()
  const server: Server = createServer((request, response) => {
    const target = request.url ?? '/'
    requests.push(`${request.method} ${target}`)
    const route = routes.get(target.split('?')[0] ?? '/')
    response.setHeader('content-type', 'text/html; charset=utf-8')
    for (const [name, value] of Object.entries(route?.headers ?? {}))
      response.setHeader(name, value)
    if (route?.raw) {
      response.end(route.html)
      return
    }
    response.end(
      `<!doctype html><title>Application</title><script>${PAGE_SCRIPT}</script><button>Go</button>${route?.html ?? ''}`,
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(wanted, host, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://${host}:${port}`,
    port,
    requests,
    routes,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
