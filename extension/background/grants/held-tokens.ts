/**
 * Tells which access tokens of a grant a page may hold: its DPoP proofs are for these alone. A page holds the current
 * tokens of the record, and for some time those that a renewal has replaced: it got one before another page, or
 * another call, caused the renewal.
 *
 * @see RFC 9449 section 4.2, `ath`
 */

import type { GrantRecord } from './grants.ts'
import { changeRecord, readTokens } from './token-records.ts'
import type { TokenRecord } from './token-store.ts'

const hasToken = ({ tokens, superseded = [] }: TokenRecord, accessToken: string): boolean =>
  [...Object.values(tokens), ...superseded].some((token) => token.accessToken === accessToken)

export async function isTokenOfGrant(
  { grantId }: GrantRecord,
  accessToken: string,
): Promise<boolean> {
  const record = await readTokens(grantId)
  return record !== undefined && hasToken(record, accessToken)
}

/** The access token that the page got last for an API, if it is still one of the grant. */
export async function getTokenInUse(
  { grantId }: GrantRecord,
  resource: string,
): Promise<string | undefined> {
  const record = await readTokens(grantId)
  const accessToken = record?.given?.[resource]
  return record && accessToken && hasToken(record, accessToken) ? accessToken : undefined
}

/** Access token that was given last, by grant and resource. The record may not contain it yet. */
const lastGivenTokens = new Map<string, string>()

/** Remembers which access token the page got last for an API: a proof that names none is for it. */
export async function setTokenInUse(
  { grantId, tokenType }: GrantRecord,
  resource: string,
  accessToken: string,
): Promise<void> {
  if (tokenType !== 'DPoP') return
  const key = `${grantId} ${resource}`
  lastGivenTokens.set(key, accessToken)
  // Most calls get the same token as the call before: these do not enter the queue.
  if ((await readTokens(grantId))?.given?.[resource] === accessToken) return
  await changeRecord(grantId, (record) => {
    const last = lastGivenTokens.get(key) ?? accessToken
    if (record.given?.[resource] === last) return undefined
    return { ...record, given: { ...record.given, [resource]: last } }
  })
}
