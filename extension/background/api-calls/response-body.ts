/**
 * The body of a response, read to its end and never beyond the limit of the page contract: an endless
 * or inflated answer costs five mebibytes of memory and no more.
 */

import { NorthkeyError } from '../../../shared/core/index.ts'
import { MAX_BODY_BYTES } from './body-limit.ts'

/** Large enough that the message counts little, small enough that several are under way at once. */
const PART_BYTES = 256 * 1024

/** What broke off while a body was read, as an error of ours. */
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
 * @param abort Says whether it was the caller who gave up.
 * @param deliver Takes the body in parts while it comes in.
 * @returns The body, or the last part of it.
 * @throws NorthkeyError `invalid_response` for a body beyond the limit.
 */
export async function readBody(
  response: Response,
  abort: AbortSignal,
  deliver?: (part: ArrayBuffer) => void,
): Promise<ArrayBuffer> {
  const announced = Number(response.headers.get('content-length'))
  if (announced > MAX_BODY_BYTES) {
    await response.body?.cancel()
    throw bodyTooLarge(response.status)
  }
  const reader = response.body?.getReader()
  const kept: ArrayBuffer[] = []
  const size = announced > 0 ? Math.min(announced, PART_BYTES) : PART_BYTES
  let part = new Uint8Array(reader ? size : 0)
  let filled = 0
  let length = 0
  while (reader) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw toReadError(error, abort)
    })
    if (done) break
    length += value.byteLength
    if (length > MAX_BODY_BYTES) {
      await reader.cancel().catch(() => {})
      throw bodyTooLarge(response.status)
    }
    for (let rest = value; rest.byteLength > 0; ) {
      if (filled === part.byteLength) {
        if (deliver) deliver(part.buffer)
        else kept.push(part.buffer)
        part = new Uint8Array(PART_BYTES)
        filled = 0
      }
      const fitting = rest.subarray(0, part.byteLength - filled)
      part.set(fitting, filled)
      filled += fitting.byteLength
      rest = rest.subarray(fitting.byteLength)
    }
  }
  const last = filled === part.byteLength ? part.buffer : part.buffer.slice(0, filled)
  return kept.length > 0 ? joinParts([...kept, last], length) : last
}

function bodyTooLarge(httpStatus: number): NorthkeyError {
  return new NorthkeyError('invalid_response', 'the API answered with more than 5 MiB', {
    httpStatus,
  })
}
