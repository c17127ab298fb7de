/**
 * Starts an HTTP server of the network on loopback. It logs every exchange, and passes each request through the
 * fault layer before the handler.
 */

import {
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { LogEntry, RequestLog } from '../request-log.ts'
import { parseBody, RecordedRequest, toFields } from './recorded-request.ts'

export type Answer = ServerResponse<RecordedRequest>
export type Handler = (request: RecordedRequest, answer: Answer) => void | Promise<void>
export type UpgradeHandler = (request: RecordedRequest, socket: Socket, head: Buffer) => void

/** Intercepts a request before the handler, which it calls as `next`. */
export type Interceptor = (
  server: string,
  request: RecordedRequest,
  answer: Answer,
  entry: LogEntry,
  next: () => Promise<void>,
) => Promise<void>

export interface ServeOptions {
  name: string
  host: string
  /** 0 for any free port. */
  port: number
  log: RequestLog
  /** Whether connections are kept alive for further requests. Default: true. */
  reuseConnections?: boolean
  intercept?: Interceptor
}

export interface RunningServer {
  readonly name: string
  readonly port: number
  handle(handler: Handler): void
  handleUpgrade(handler: UpgradeHandler): void
  close(): Promise<void>
}

/** Error of a server that cannot start; the message is one line for the user. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** Starts a server that answers 503 until `handle` sets a handler. */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  let handler: Handler = (_request, answer) => {
    answer.writeHead(503).end()
  }
  let upgradeHandler: UpgradeHandler = (_request, socket) => socket.destroy()

  const server = createServer({ IncomingMessage: RecordedRequest }, (request, answer) => {
    void handleExchange(options, request, answer as Answer, handler)
  })
  if (options.reuseConnections === false) server.maxRequestsPerSocket = 1
  server.on('upgrade', (request, socket, head) => {
    logUpgrade(options, request as RecordedRequest, socket as Socket)
    upgradeHandler(request as RecordedRequest, socket as Socket, head)
  })
  await startListening(server, options)

  return {
    name: options.name,
    port: (server.address() as AddressInfo).port,
    handle(next) {
      handler = next
    },
    handleUpgrade(next) {
      upgradeHandler = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function startListening(
  server: ReturnType<typeof createServer>,
  options: ServeOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new StartError(describeStartError(error, options), { cause: error }))
    })
    server.listen({ port: options.port, host: options.host, exclusive: true }, resolve)
  })
}

function describeStartError(error: NodeJS.ErrnoException, options: ServeOptions): string {
  const where = `port ${options.port} on ${options.host}`
  if (error.code === 'EADDRINUSE') return `${options.name}: ${where} is in use`
  if (error.code === 'EACCES') return `${options.name}: ${where} may not be used`
  return `${options.name}: cannot listen on ${where} (${error.code ?? error.message})`
}

function logArrival(options: ServeOptions, request: RecordedRequest): LogEntry {
  const target = new URL(request.url ?? '/', 'http://server.invalid')
  return options.log.add({
    server: options.name,
    timeMs: Date.now(),
    from: request.socket.remoteAddress ?? '',
    method: request.method ?? 'GET',
    path: target.pathname,
    query: toFields(target.searchParams),
    headers: copyHeaders(request.headers),
  })
}

/** Logs an upgrade. Its status is read from the status line, which is the first data written to the socket. */
function logUpgrade(options: ServeOptions, request: RecordedRequest, socket: Socket): void {
  const entry = logArrival(options, request)
  const write = socket.write.bind(socket) as (...rest: unknown[]) => boolean
  socket.write = ((chunk: unknown, ...rest: unknown[]) => {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(String(chunk))?.[1]
    if (status !== undefined) entry.status = Number(status)
    socket.write = write as typeof socket.write
    const result = write(chunk, ...rest)
    if (status !== undefined) options.log.answered(entry)
    return result
  }) as typeof socket.write
  socket.once('close', () => options.log.completed(entry))
}

async function handleExchange(
  options: ServeOptions,
  request: RecordedRequest,
  answer: Answer,
  handler: Handler,
): Promise<void> {
  const entry = logArrival(options, request)
  const contentType = request.headers['content-type']
  const logBody = () => {
    const body = parseBody(request.recordedBody, contentType)
    if (body !== undefined) entry.body = body
  }
  // Before the answer is sent, so that a client that has the answer finds the entry complete.
  const end = answer.end.bind(answer) as (...rest: unknown[]) => Answer
  answer.end = ((...rest: unknown[]) => {
    logBody()
    entry.status = answer.statusCode
    const result = end(...rest)
    entry.answerHeaders = copyHeaders(answer.getHeaders())
    return result
  }) as typeof answer.end
  answer.once('finish', () => options.log.answered(entry))
  answer.once('close', () => {
    logBody()
    options.log.completed(entry)
  })

  const next = async () => handler(request, answer)
  try {
    await (options.intercept
      ? options.intercept(options.name, request, answer, entry, next)
      : next())
  } catch {
    if (!answer.headersSent) answer.writeHead(500).end()
    else answer.destroy()
  }
}

function copyHeaders(headers: IncomingHttpHeaders | OutgoingHttpHeaders): LogEntry['headers'] {
  const result: LogEntry['headers'] = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value : String(value)
  }
  return result
}
