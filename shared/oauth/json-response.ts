/**
 * Parses a response body as one JSON object. The media type must be JSON, and the body must be valid UTF-8,
 * not nested too deeply, and an object at its top level. The octets decide about the encoding: JSON defines no
 * `charset`, and whatever label a server adds, the text is decoded as UTF-8.
 * @see RFC 8259 sections 8.1 and 11
 */

import { NorthkeyError } from './error.ts'
import { isDeeperThan, JSON_DEPTH_LIMIT } from './json-depth.ts'
import type { ServerResponse } from './server-response.ts'

export type JsonObject = { [member: string]: unknown }

/** Parses a `content-type`: the media type in lower case, without parameters. */
function parseMediaType(contentType: string): string {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/**
 * Reads a JSON object, or throws `invalid_response`. A member that is `null` is absent.
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
  if (!types.includes(parseMediaType(contentType)))
    throw invalidBody(`be of type ${types.join(' or ')}`)
  const text = decodeUtf8(response.octets)
  if (text === undefined) throw invalidBody('be in UTF-8')
  const value = parseJson(text)
  if (!isJsonObject(value)) throw invalidBody('be one JSON object')
  return dropNullMembers(value)
}

/**
 * Drops the members that are `null` from an object that was just parsed, and returns it. Many servers serialize a
 * member without a value in this way.
 */
export function dropNullMembers(object: JsonObject): JsonObject {
  for (const name of Object.keys(object)) if (object[name] === null) delete object[name]
  return object
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes octets, or returns `undefined` if they are not UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Parses JSON, or returns `undefined` for text that is not JSON or is nested too deeply. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isDeeperThan(JSON_DEPTH_LIMIT, value) ? undefined : value
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
