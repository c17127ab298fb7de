/** What has to hold among several authorization servers. */

import { NorthkeyError } from '../oauth/error.ts'

/**
 * Refuses two servers that share an issuer: a response could no longer be told from the other's.
 * @see RFC 9207 section 4
 */
export function requireDistinctIssuers(servers: readonly { issuer: string }[]): void {
  const issuers = new Set(servers.map(({ issuer }) => issuer))
  if (issuers.size === servers.length) return
  throw new NorthkeyError('invalid_params', '"issuer" must belong to one operator profile alone')
}
