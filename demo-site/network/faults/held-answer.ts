/** Buffers the answer of a handler, so that the fault layer can change it before it is sent. */

import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http'
import type { Answer } from '../http/serve.ts'

export interface HeldAnswer {
  body: Buffer
  /** Sends the buffered status and headers with this body. */
  send(body: Buffer): void
}

/** Runs the handler and resolves once it has ended its answer; nothing has been sent yet. */
export async function holdAnswer(
  answer: Answer,
  handler: () => Promise<void>,
): Promise<HeldAnswer> {
  const chunks: Buffer[] = []
  const end = answer.end.bind(answer)
  const write = answer.write.bind(answer)
  const writeHead = answer.writeHead.bind(answer)

  const keepChunk = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk === 'string') {
      chunks.push(
        Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'),
      )
    } else if (chunk instanceof Uint8Array) {
      chunks.push(Buffer.from(chunk))
    }
  }
  const ended = new Promise<void>((resolve) => {
    answer.writeHead = ((status: number, ...rest: unknown[]) => {
      answer.statusCode = status
      setHeaders(answer, rest.at(-1))
      return answer
    }) as typeof answer.writeHead
    answer.write = ((chunk: unknown, encoding: unknown) => {
      keepChunk(chunk, encoding)
      return true
    }) as typeof answer.write
    answer.end = ((chunk: unknown, encoding: unknown) => {
      keepChunk(chunk, encoding)
      resolve()
      return answer
    }) as typeof answer.end
    answer.once('close', resolve)
  })
  await handler()
  await ended
  Object.assign(answer, { end, write, writeHead })
  return {
    body: Buffer.concat(chunks),
    send(body) {
      answer.removeHeader('transfer-encoding')
      if (answer.statusCode !== 204 && answer.statusCode !== 304) {
        answer.setHeader('content-length', body.length)
      }
      end(body)
    },
  }
}

function setHeaders(answer: Answer, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return
  for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders)) {
    if (value !== undefined) answer.setHeader(name, value as Exclude<OutgoingHttpHeader, undefined>)
  }
}
