/**
 * Incoming request that records its body as the parser delivers it. The log, the fault layer and a handler that
 * forwards the request can read the body, whoever else reads the stream.
 */

import { IncomingMessage } from 'node:http'

const LIMIT_BYTES = 1024 * 1024

export class RecordedRequest extends IncomingMessage {
  readonly #chunks: Buffer[] = []
  #size = 0
  #body: Promise<Buffer> | undefined

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (Buffer.isBuffer(chunk) && this.#size < LIMIT_BYTES) {
      this.#chunks.push(chunk)
      this.#size += chunk.length
    }
    return super.push(chunk, encoding)
  }

  /** Part of the body that has arrived so far, up to 1 MiB. */
  get recordedBody(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** Reads the complete body. Only for a handler after which nothing else reads the stream. */
  readBody(): Promise<Buffer> {
    this.#body ??= this.#readToEnd()
    return this.#body
  }

  async #readToEnd(): Promise<Buffer> {
    for await (const _chunk of this) {
      // `push` records the chunks.
    }
    return this.recordedBody
  }

  /** Copies the request with another target or body, for a handler that forwards it. */
  copyWith(changes: { url?: string; body?: string }): RecordedRequest {
    const copy = new RecordedRequest(this.socket)
    copy.method = this.method
    copy.url = changes.url ?? this.url
    copy.httpVersion = this.httpVersion
    copy.httpVersionMajor = this.httpVersionMajor
    copy.httpVersionMinor = this.httpVersionMinor
    copy.headers = { ...this.headers }
    copy.rawHeaders = this.rawHeaders
    if (changes.body !== undefined) {
      const body = Buffer.from(changes.body)
      copy.headers['content-length'] = String(body.length)
      copy.push(body)
      copy.push(null)
      copy.complete = true
    }
    return copy
  }
}

/** Parses a body by its content type. */
export function parseBody(body: Buffer, contentType: string | undefined): unknown {
  if (body.length === 0) return undefined
  const text = body.toString('utf8')
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/x-www-form-urlencoded') return toFields(new URLSearchParams(text))
  if (type === 'application/json' || type.endsWith('+json')) {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  return text
}

/** Converts parameters to an object: a single value is a string, repeated values are an array. */
export function toFields(parameters: URLSearchParams): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null)
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name)
    fields[name] = values.length === 1 ? (values[0] as string) : values
  }
  return { ...fields }
}
