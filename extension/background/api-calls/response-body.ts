/**
 * Reads the body of a response up to the limit of the page contract: an endless or decompressed body
 * takes at most 5 MiB of memory. A body that is longer than a part is read on with a permit. It can be
 * delivered in parts while it arrives.
 */

import { NorthkeyError } from '../../../shared/core/index.ts'
import type { Release } from '../platform/semaphore.ts'
import { MAX_BODY_BYTES } from './body-limit.ts'

/** Size of a part: the cost of its message is small, and several parts can be in flight at once. */
export const PART_BYTES = 512 * 1024

/** Maps an error of the stream: the caller's abort, the time limit, or a broken connection. */
function toReadError(error: unknown, abort: AbortSignal): NorthkeyError {
  if (abort.aborted) return new NorthkeyError('aborted', 'the caller gave up')
  if ((error as { name?: unknown } | null)?.name === 'TimeoutError') {
    return new NorthkeyError('timeout', 'the API did not finish its answer in time')
  }
  return new NorthkeyError('network_error', 'the answer of the API broke off', { cause: error })
}

function joinParts(parts: readonly ArrayBuffer[], length: number): ArrayBuffer {
  const body = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    body.set(new Uint8Array(part), offset)
    offset += part.byteLength
  }
  return body.buffer
}

/**
 * @param abort The signal of the caller: it tells an abort by the caller from a broken connection.
 * @param takePermit Waits until a body may be longer than a part.
 * @param deliver Takes the parts of the body while it arrives, except the last.
 * @returns The body, or its last part if there is a `deliver`.
 * @throws NorthkeyError `invalid_response` above the limit; `aborted`, `timeout` or `network_error` if
 * the body stays incomplete; the error of `takePermit`.
 */
export async function readBody(
  response: Response,
  abort: AbortSignal,
  takePermit: () => Promise<Release>,
  deliver?: (part: ArrayBuffer) => void,
): Promise<ArrayBuffer> {
  const announced = Number(response.headers.get('content-length'))
  if (announced > MAX_BODY_BYTES) {
    await response.body?.cancel()
    throw bodyTooLarge(response.status)
  }
  const reader = response.body?.getReader()
  if (!reader) return new ArrayBuffer(0)
  const parts: ArrayBuffer[] = []
  let part = new Uint8Array(announced > 0 ? Math.min(announced, PART_BYTES) : PART_BYTES)
  let filled = 0
  let length = 0
  let release: Release | undefined
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw toReadError(error, abort)
      })
      if (done) break
      length += value.byteLength
      if (length > MAX_BODY_BYTES) throw bodyTooLarge(response.status)
      for (let rest = value; rest.byteLength > 0; ) {
        if (filled === part.byteLength) {
          release ??= await takePermit()
          if (deliver) deliver(part.buffer)
          else parts.push(part.buffer)
          part = new Uint8Array(PART_BYTES)
          filled = 0
        }
        const chunk = rest.subarray(0, part.byteLength - filled)
        part.set(chunk, filled)
        filled += chunk.byteLength
        rest = rest.subarray(chunk.byteLength)
      }
    }
    const last = filled === part.byteLength ? part.buffer : part.buffer.slice(0, filled)
    return parts.length > 0 ? joinParts([...parts, last], length) : last
  } catch (error) {
    reader.cancel().catch(() => {})
    throw error
  } finally {
    release?.()
  }
}

function bodyTooLarge(httpStatus: number): NorthkeyError {
  return new NorthkeyError('invalid_response', 'the API answered with more than 5 MiB', {
    httpStatus,
  })
}
