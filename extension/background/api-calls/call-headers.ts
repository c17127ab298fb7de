/**
 * Filters the header fields of a `northbound_fetch` by an allow list for the request and one for the
 * response. Credentials, cookies and nonces belong to the broker and are in neither list.
 *
 * Border: `page/params.ts` has checked the grammar of names and values (RFC 9110 sections 5.1 and 5.5).
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

/** The header fields of a response that a page may read. */
export function responseHeaders(headers: Headers): [name: string, value: string][] {
  return [...headers].filter(([name]) => RESPONSE_HEADERS.has(name))
}
