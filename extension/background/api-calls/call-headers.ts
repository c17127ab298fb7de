/**
 * The header fields of a sealed call, both ways: only those named here pass. Credentials, cookies and
 * nonces are the broker's own affair and are in neither list.
 *
 * Border: values were checked for their grammar before (RFC 9110 section 5.5).
 */

import { invalidParams } from '../platform/broker-error.ts'

const REQUEST_HEADERS: readonly string[] = [
  'accept',
  'accept-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'prefer',
  'x-correlator',
]

const RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  'allow',
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'link',
  'location',
  'preference-applied',
  'retry-after',
  'x-correlator',
])

/** @throws BrokerError `invalid_params` for a header that a page may not send. */
export function requestHeaders(headers: Readonly<Record<string, string>> = {}): Headers {
  const allowed = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (!REQUEST_HEADERS.includes(name.toLowerCase())) {
      throw invalidParams(`headers: expected only ${REQUEST_HEADERS.join(', ')}`)
    }
    allowed.set(name, value)
  }
  return allowed
}

/** What a page may see of a response. */
export function responseHeaders(headers: Headers): [name: string, value: string][] {
  return [...headers].filter(([name]) => RESPONSE_HEADERS.has(name))
}
