/**
 * What the developer's view may show. Everything is copied through here before it reaches the page's
 * state, so that no token comes into the DOM even in `token` mode.
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

/** A JWS or a JWE in compact form, wherever it stands. */
const COMPACT_JOSE = /\beyJ[\w-]+(?:\.[\w-]*){2,4}/g

function isHeader(value: unknown): value is [string, string] {
  return (
    Array.isArray(value) && value.length === 2 && value.every((item) => typeof item === 'string')
  )
}

/** A copy of JSON-like data in which whatever is or may be a credential is withheld. */
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
