/** Rules for a set of authorization servers. */

import { NorthkeyError } from '../oauth/error.ts'

/**
 * Throws for two servers with the same issuer: their responses could not be distinguished.
 * @see RFC 9207 section 4
 */
export function requireDistinctIssuers(servers: readonly { issuer: string }[]): void {
  const issuers = new Set(servers.map(({ issuer }) => issuer))
  if (issuers.size === servers.length) return
  throw new NorthkeyError('invalid_params', '"issuer" must belong to one operator profile alone')
}
