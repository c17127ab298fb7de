/** The body of a response as one JSON object, refused unless it says that it is one and is. */

import { NorthkeyError } from './error.ts'
import type { Answer } from './http.ts'

export type JsonObject = { [member: string]: unknown }

const DEPTH_LIMIT = 32

/** The media type of a response in lower case, without parameters. */
export function mediaType(answer: Pick<Answer, 'headers'>): string {
  return (answer.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
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
  if (!types.includes(mediaType(answer))) throw refuse(`be of type ${types.join(' or ')}`)
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(answer.headers.get('content-type') ?? '')
  if (charset !== null && charset[1]?.toLowerCase() !== 'utf-8') throw refuse('be in UTF-8')

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
  if (depth(text) > DEPTH_LIMIT) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING = 0x5b
const CLOSING = 0x5d

function depth(text: string): number {
  let now = 0
  let most = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === BACKSLASH) index++
      else if (code === QUOTE) inString = false
    } else if (code === QUOTE) inString = true
    // In ASCII, a brace and a bracket differ in one bit alone.
    else if ((code & ~0x20) === OPENING) most = Math.max(most, ++now)
    else if ((code & ~0x20) === CLOSING) now--
  }
  return most
}
