/** The body of a response as one JSON object, refused unless it says that it is one and is. */

import { NorthkeyError } from './error.ts'
import type { Answer } from './http.ts'

export type JsonObject = { [member: string]: unknown }

const DEPTH_LIMIT = 32

/** The media type in a `content-type`, in lower case and without parameters. */
export function mediaType(contentType: string): string {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/**
 * Reads a JSON object: media type, charset, UTF-8, depth, top level.
 * @param what Names the endpoint in errors.
 * @see RFC 8259 section 8.1, RFC 6749 section 5.1
 */
export function readJsonObject(
  answer: Answer,
  what: string,
  types: readonly string[] = ['application/json'],
): JsonObject {
  const refuse = (expectation: string) =>
    new NorthkeyError('invalid_response', `the answer of the ${what} must ${expectation}`, {
      httpStatus: answer.status,
    })
  const contentType = answer.headers.get('content-type') ?? ''
  // Most servers say just the type, and there is nothing to take apart.
  if (!types.includes(contentType)) {
    if (!types.includes(mediaType(contentType))) throw refuse(`be of type ${types.join(' or ')}`)
    const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)
    if (charset !== null && charset[1]?.toLowerCase() !== 'utf-8') throw refuse('be in UTF-8')
  }
  const text = utf8(answer.octets)
  if (text === undefined) throw refuse('be in UTF-8')
  const value = parseJson(text)
  if (!isJsonObject(value)) throw refuse('be one JSON object')
  return value
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of some octets, or `undefined` where they are not UTF-8. A byte order mark stays. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** The parsed value, or `undefined` where the text is not JSON or nested without measure. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isDeeperThan(DEPTH_LIMIT, value) ? undefined : value
  } catch {
    return undefined
  }
}

/** Looks no further down than the limit, so that its own depth has one. */
function isDeeperThan(limit: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return limit === 0 || Object.values(value).some((inner) => isDeeperThan(limit - 1, inner))
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
