/**
 * Makes the `Response` of a call whose body is there as a whole. Its stream copies nothing before it is read, and the
 * methods that read the whole body take it as it is: the platform's own methods copy a body several times, which
 * took as long as its way through the broker.
 *
 * Rules: a body is read once, like that of the platform's `fetch`. `clone()` and `body` are the platform's own.
 *
 * @see Fetch Standard, section "Body mixin"
 */

import type { FetchResult } from '../messages/page-api.ts'

/** Statuses with which a `Response` must not have a body. */
const NULL_BODY_STATUSES: readonly number[] = [204, 205, 304]

const decode = (body: ArrayBuffer): string => new TextDecoder().decode(body)

/** Methods that read a whole body. */
const READERS: Readonly<Record<string, (body: ArrayBuffer, response: Response) => unknown>> = {
  arrayBuffer: (body) => body,
  bytes: (body) => new Uint8Array(body),
  text: decode,
  json: (body) => JSON.parse(decode(body)),
  blob: (body, { headers }) => new Blob([body], { type: headers.get('content-type') ?? '' }),
}

/** A stream that takes the body when somebody reads it. */
const createStream = (body: ArrayBuffer): ReadableStream<Uint8Array<ArrayBuffer>> =>
  new ReadableStream(
    {
      pull(controller) {
        if (body.byteLength > 0) controller.enqueue(new Uint8Array(body))
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )

export function toResponse({ url, status, statusText, headers, body }: FetchResult): Response {
  const isNull = NULL_BODY_STATUSES.includes(status)
  const stream = isNull ? null : createStream(body)
  const response = new Response(stream, { status, statusText, headers })
  // A Response that was not fetched has no URL of its own.
  Object.defineProperty(response, 'url', { value: url })
  if (isNull) return response
  for (const [name, read] of Object.entries(READERS)) {
    const value = async () => {
      if (response.bodyUsed || response.body?.locked)
        throw new TypeError('the body is read already')
      // From here on the body counts as used.
      void response.body?.cancel()
      return read(body, response)
    }
    Object.defineProperty(response, name, { value })
  }
  return response
}
