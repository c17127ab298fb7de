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
  const limit = deadline(effects)
  const { fetch } = effects
  try {
    return await limit.race(async () => {
      const response = await fetch(url, {
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        redirect: 'manual',
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        signal: limit.signal,
      })
      refuseRedirect(response, what)
      const { status, headers } = response
      return { status, headers, octets: await readBounded(response, what) }
    })
  } catch (error) {
    throw limit.explain(error, what)
  } finally {
    limit.clear()
  }
}

type Send = (url: string, request: BoundedRequest) => Promise<Response>

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
    return new Response()
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

async function readBounded(response: Response, what: string): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () =>
    new NorthkeyError('invalid_response', `the ${what} answered with more than 256 kB`, {
      httpStatus: response.status,
    })
  if (response.body === null) return new Uint8Array()
  if (Number(response.headers.get('content-length')) > RESPONSE_LIMIT_BYTES) {
    await response.body.cancel().catch(() => undefined)
    throw tooLarge()
  }
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.byteLength
    if (size > RESPONSE_LIMIT_BYTES) {
      await reader.cancel().catch(() => undefined)
      throw tooLarge()
    }
    chunks.push(value)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}

/** A deadline that holds even where a `fetch` does not listen to its signal. */
function deadline(effects: Effects) {
  const controller = new AbortController()
  let end: (reason: NorthkeyError) => void = () => undefined
  const ended = new Promise<never>((_resolve, reject) => {
    end = (reason) => {
      reject(reason)
      controller.abort(reason)
    }
  })
  const giveUp = () => end(new NorthkeyError('aborted', 'the caller gave up'))
  const timer = setTimeout(
    () => end(new NorthkeyError('timeout', 'no answer within the limit')),
    timeoutMs(effects),
  )
  if (effects.signal?.aborted) giveUp()
  else effects.signal?.addEventListener('abort', giveUp, { once: true })

  return {
    signal: controller.signal,
    race: <T>(work: () => Promise<T>): Promise<T> =>
      Promise.race([ended, controller.signal.aborted ? ended : work()]),
    explain(error: unknown, what: string): NorthkeyError {
      const reason: unknown = controller.signal.aborted ? controller.signal.reason : error
      if (!(reason instanceof NorthkeyError)) {
        return new NorthkeyError('network_error', `the ${what} could not be reached`, {
          cause: reason,
        })
      }
      if (reason.code !== 'timeout') return reason
      return new NorthkeyError('timeout', `the ${what} did not answer within the limit`)
    },
    clear(): void {
      clearTimeout(timer)
      effects.signal?.removeEventListener('abort', giveUp)
    },
  }
}
