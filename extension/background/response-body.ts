/**
 * The body of a response, read to its end and never beyond the limit of the page contract: an endless
 * or inflated answer costs five mebibytes of memory and no more.
 */

import { NorthkeyError } from '../../shared/core/index.ts'
import { MAX_BODY_BYTES } from './params.ts'

/** What broke off while a body was read, as an error of ours. */
function broken(error: unknown, abort: AbortSignal): NorthkeyError {
  if (abort.aborted) return new NorthkeyError('aborted', 'the caller gave up')
  if ((error as { name?: unknown } | null)?.name === 'TimeoutError') {
    return new NorthkeyError('timeout', 'the API did not finish its answer in time')
  }
  return new NorthkeyError('network_error', 'the answer of the API broke off', { cause: error })
}

function joined(chunks: readonly Uint8Array[], length: number): ArrayBuffer {
  const body = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    body.set(chunk, offset)
    offset += chunk.byteLength
  }
  return body.buffer
}

/**
 * @param abort Says whether it was the caller who gave up.
 * @throws NorthkeyError `invalid_response` for a body beyond the limit.
 */
export async function readBody(response: Response, abort: AbortSignal): Promise<ArrayBuffer> {
  if (Number(response.headers.get('content-length')) > MAX_BODY_BYTES) {
    await response.body?.cancel()
    throw tooLarge(response.status)
  }
  const reader = response.body?.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  while (reader) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw broken(error, abort)
    })
    if (done) break
    length += value.byteLength
    if (length > MAX_BODY_BYTES) {
      await reader.cancel().catch(() => {})
      throw tooLarge(response.status)
    }
    chunks.push(value)
  }
  return joined(chunks, length)
}

function tooLarge(httpStatus: number): NorthkeyError {
  return new NorthkeyError('invalid_response', 'the API answered with more than 5 MiB', {
    httpStatus,
  })
}
