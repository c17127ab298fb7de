/** The body of a response as one JSON object, refused unless it says that it is one and is. */

import { NorthkeyError } from './error.ts'
import type { ServerResponse } from './server-response.ts'

export type JsonObject = { [member: string]: unknown }

const DEPTH_LIMIT = 32

/** The media type in a `content-type`, in lower case and without parameters. */
export function parseMediaType(contentType: string): string {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/**
 * Reads a JSON object: media type, charset, UTF-8, depth, top level.
 * @param endpoint Names the endpoint in errors.
 * @see RFC 8259 section 8.1, RFC 6749 section 5.1
 */
export function readJsonObject(
  response: ServerResponse,
  endpoint: string,
  types: readonly string[] = ['application/json'],
): JsonObject {
  const invalidBody = (expectation: string) =>
    new NorthkeyError('invalid_response', `the answer of the ${endpoint} must ${expectation}`, {
      httpStatus: response.status,
    })
  const contentType = response.headers.get('content-type') ?? ''
  // Most servers say just the type, and there is nothing to take apart.
  if (!types.includes(contentType)) {
    if (!types.includes(parseMediaType(contentType)))
      throw invalidBody(`be of type ${types.join(' or ')}`)
    const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)
    if (charset !== null && charset[1]?.toLowerCase() !== 'utf-8') throw invalidBody('be in UTF-8')
  }
  const text = decodeUtf8(response.octets)
  if (text === undefined) throw invalidBody('be in UTF-8')
  const value = parseJson(text)
  if (!isJsonObject(value)) throw invalidBody('be one JSON object')
  return value
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of some octets, or `undefined` where they are not UTF-8. A byte order mark stays. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
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
