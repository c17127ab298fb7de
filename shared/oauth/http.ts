/**
 * Sends one request to a server within all limits: https, no ambient credentials, no cache, no redirect, a
 * timeout for request and body together, and at most 256 kB of response. The response is read to its end, so
 * that its validation can neither hang nor exceed the memory limit.
 */

import { type Effects, timeoutMs } from './effects.ts'
import { NorthkeyError } from './error.ts'
import type { ServerResponse } from './server-response.ts'
import { requireSecureUrl } from './url-policy.ts'

export const RESPONSE_LIMIT_BYTES = 256 * 1024

export interface BoundedRequest {
  method: string
  headers: Record<string, string>
  body?: BodyInit | null | undefined
}

/**
 * Sends one request and reads its response to the end.
 * @param endpoint Names the endpoint in errors: `token endpoint`.
 * @see RFC 9700 section 4.12 (redirects), RFC 6749 section 5.1 (caching)
 */
export async function sendRequest(
  url: string,
  request: BoundedRequest,
  endpoint: string,
  effects: Effects,
): Promise<ServerResponse> {
  requireSecureUrl(url, endpoint, effects)
  const controller = new AbortController()
  const { fetch, signal: caller } = effects
  let timer: ReturnType<typeof setTimeout> | undefined
  let onAbort: (() => void) | undefined
  try {
    // Rejects directly as well as through the signal, since not every `fetch` supports a signal.
    return await new Promise<ServerResponse>((resolve, reject) => {
      const end = (code: 'timeout' | 'aborted', message: string) => {
        reject(new NorthkeyError(code, message))
        controller.abort()
      }
      timer = setTimeout(
        () => end('timeout', `the ${endpoint} did not answer within the limit`),
        timeoutMs(effects),
      )
      if (caller !== undefined) {
        onAbort = () => end('aborted', 'the caller gave up')
        if (caller.aborted) return onAbort()
        caller.addEventListener('abort', onAbort, { once: true })
      }
      fetch(url, {
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        redirect: 'manual',
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        signal: controller.signal,
      })
        .then((response) => readResponse(response, endpoint))
        .then(resolve, reject)
    })
  } catch (error) {
    if (error instanceof NorthkeyError) throw error
    throw new NorthkeyError('network_error', `the ${endpoint} could not be reached`, {
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    if (onAbort !== undefined) caller?.removeEventListener('abort', onAbort)
  }
}

type Send = (url: string, request: BoundedRequest) => Promise<Response>

/** Placeholder that the library gets in place of the response. It returns the placeholder unread. */
const PLACEHOLDER = new Response()

/**
 * Lets oauth4webapi build a request, and returns the response to the caller instead of the library, so that
 * the response is read within the limits above.
 * @param endpoint Names the endpoint in errors, or makes the name of the URL that the library built.
 */
export async function sendByLibrary(
  request: (send: Send) => Promise<unknown>,
  endpoint: string | ((url: string) => string),
  effects: Effects,
): Promise<ServerResponse> {
  let response: ServerResponse | undefined
  await request(async (url, init) => {
    const name = typeof endpoint === 'string' ? endpoint : endpoint(url)
    response = await sendRequest(url, init, name, effects)
    return PLACEHOLDER
  })
  if (response === undefined) throw new NorthkeyError('internal_error', 'no request was made')
  return response
}

function rejectRedirect(response: Response, endpoint: string): void {
  const redirected = response.status >= 300 && response.status < 400
  if (response.type === 'opaqueredirect' || redirected || response.redirected) {
    throw new NorthkeyError('invalid_response', `the ${endpoint} answered with a redirect`, {
      ...(response.status !== 0 && { httpStatus: response.status }),
    })
  }
}

async function readResponse(response: Response, endpoint: string): Promise<ServerResponse> {
  rejectRedirect(response, endpoint)
  const { status, headers, body } = response
  const tooLarge = () =>
    new NorthkeyError('invalid_response', `the ${endpoint} answered with more than 256 kB`, {
      httpStatus: status,
    })
  if (body === null) return { status, headers, octets: new Uint8Array() }
  const announced = Number.parseInt(headers.get('content-length') ?? '', 10)
  if (announced > RESPONSE_LIMIT_BYTES) {
    await body.cancel().catch(() => undefined)
    throw tooLarge()
  }
  // A body ends with the last octet that `content-length` announced; its stream need not be read again. This
  // does not hold for an encoded body, whose length is that of the encoding; only a basic response shows that.
  const plain = () => response.type === 'basic' && !headers.has('content-encoding')
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  const reader = body.getReader()
  while (size !== announced || !plain()) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.byteLength
    if (size > RESPONSE_LIMIT_BYTES) {
      await reader.cancel().catch(() => undefined)
      throw tooLarge()
    }
    chunks.push(value)
  }
  return { status, headers, octets: concatBytes(chunks, size) }
}

function concatBytes(
  chunks: readonly Uint8Array<ArrayBuffer>[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const [first] = chunks
  if (first !== undefined && chunks.length === 1) return first
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}
