/**
 * Removes credentials from everything that the developer view shows. Data is redacted before it reaches the state
 * of the page, so that no token gets into the DOM, not even in `token` mode.
 */

export const WITHHELD = '••• withheld •••'

const SECRET_MEMBERS = new Set([
  'accesstoken',
  'access_token',
  'refreshtoken',
  'refresh_token',
  'idtoken',
  'id_token',
  'authcode',
  'code_verifier',
  'codeverifier',
  'client_secret',
  'client_assertion',
  'authorization',
  'dpop',
  'cookie',
  'set-cookie',
])

/** Matches a JWS or JWE in compact form anywhere in a text. */
const COMPACT_JOSE = /\beyJ[\w-]+(?:\.[\w-]*){2,4}/g

function isHeader(value: unknown): value is [string, string] {
  return (
    Array.isArray(value) && value.length === 2 && value.every((item) => typeof item === 'string')
  )
}

/** Copies JSON-like data and replaces every value that is or may be a credential. */
export function redactCredentials(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(COMPACT_JOSE, WITHHELD)
  if (isHeader(value)) {
    return [
      value[0],
      SECRET_MEMBERS.has(value[0].toLowerCase()) ? WITHHELD : redactCredentials(value[1]),
    ]
  }
  if (Array.isArray(value)) return value.map(redactCredentials)
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_MEMBERS.has(name.toLowerCase()) ? WITHHELD : redactCredentials(member),
    ]),
  )
}
