/**
 * One request to a server, inside all limits: https, no ambient credentials, no cache, no redirect, a
 * deadline over request and body together, and at most 256 kB of answer. What comes back lies in memory
 * whole, so that judging it can neither hang nor grow.
 */

import { type Effects, timeoutMs } from './effects.ts'
import { NorthkeyError } from './error.ts'
import { requireSecureUrl } from './url-policy.ts'

export const RESPONSE_LIMIT_BYTES = 256 * 1024

export interface BoundedRequest {
  method: string
  headers: Record<string, string>
  body?: BodyInit | null | undefined
}

/** What a server answered. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly octets: Uint8Array<ArrayBuffer>
}

/**
 * Sends one request and reads its answer whole.
 * @param what Names the endpoint in errors: `token endpoint`.
 * @see RFC 9700 section 4.12 (redirects), RFC 6749 section 5.1 (caching)
 */
export async function exchange(
  url: string,
  request: BoundedRequest,
  what: string,
  effects: Effects,
): Promise<Answer> {
  requireSecureUrl(url, what, effects)
  const controller = new AbortController()
  const { fetch, signal: caller } = effects
  let timer: ReturnType<typeof setTimeout> | undefined
  let giveUp: (() => void) | undefined
  try {
    // Rejected by hand as well as through the signal, since not every `fetch` listens to one.
    return await new Promise<Answer>((resolve, reject) => {
      const end = (code: 'timeout' | 'aborted', message: string) => {
        reject(new NorthkeyError(code, message))
        controller.abort()
      }
      timer = setTimeout(
        () => end('timeout', `the ${what} did not answer within the limit`),
        timeoutMs(effects),
      )
      if (caller !== undefined) {
        giveUp = () => end('aborted', 'the caller gave up')
        if (caller.aborted) return giveUp()
        caller.addEventListener('abort', giveUp, { once: true })
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
        .then((response) => readWhole(response, what))
        .then(resolve, reject)
    })
  } catch (error) {
    if (error instanceof NorthkeyError) throw error
    throw new NorthkeyError('network_error', `the ${what} could not be reached`, { cause: error })
  } finally {
    clearTimeout(timer)
    if (giveUp !== undefined) caller?.removeEventListener('abort', giveUp)
  }
}

type Send = (url: string, request: BoundedRequest) => Promise<Response>

/** Stands for every answer towards the library, which hands back what it was given. */
const KEPT = new Response()

/**
 * Has oauth4webapi make a request and keeps the answer to ourselves: the library writes what goes out,
 * and what comes in is judged within our limits.
 */
export async function exchangeBy(
  request: (send: Send) => Promise<unknown>,
  what: string,
  effects: Effects,
): Promise<Answer> {
  let answer: Answer | undefined
  await request(async (url, init) => {
    answer = await exchange(url, init, what, effects)
    return KEPT
  })
  if (answer === undefined) throw new NorthkeyError('internal_error', 'no request was made')
  return answer
}

function refuseRedirect(response: Response, what: string): void {
  const redirected = response.status >= 300 && response.status < 400
  if (response.type === 'opaqueredirect' || redirected || response.redirected) {
    throw new NorthkeyError('invalid_response', `the ${what} answered with a redirect`, {
      ...(response.status !== 0 && { httpStatus: response.status }),
    })
  }
}

async function readWhole(response: Response, what: string): Promise<Answer> {
  refuseRedirect(response, what)
  const { status, headers, body } = response
  const tooLarge = () =>
    new NorthkeyError('invalid_response', `the ${what} answered with more than 256 kB`, {
      httpStatus: status,
    })
  if (body === null) return { status, headers, octets: new Uint8Array() }
  const announced = Number.parseInt(headers.get('content-length') ?? '', 10)
  if (announced > RESPONSE_LIMIT_BYTES) {
    await body.cancel().catch(() => undefined)
    throw tooLarge()
  }
  // With the last octet that was announced a body has ended, and its stream need not be asked again.
  // Not so if it was encoded, since the length is that of the code; only a basic response shows that.
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
  return { status, headers, octets: joined(chunks, size) }
}

function joined(chunks: readonly Uint8Array<ArrayBuffer>[], size: number): Uint8Array<ArrayBuffer> {
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
