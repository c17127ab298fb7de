/**
 * Ends the grants that a CAPIF core has revoked. Notifications that arrive while the earlier ones are handled are
 * coalesced: the records are read once for all of them, and the work does not grow with their number. A grant ends
 * as soon as it is found: no notification waits for the revocation requests that follow from an earlier one.
 *
 * A notification may name a token of a renewal in flight, whose response has not arrived. Its grant ends when the
 * token is stored.
 *
 * Border: `capif-revocation-channel.ts` receives them, `grants/end-grant.ts` ends a grant.
 *
 * @see TS 29.222 clause 8.5.4.2.5 (SecurityNotification)
 */

import { parseSecurityNotification, type SecurityNotification } from '../../../shared/core/index.ts'
import { parseJson } from '../../../shared/oauth/json-response.ts'
import { endGrant } from '../grants/end-grant.ts'
import { type GrantRecord, listAllGrants } from '../grants/grants.ts'
import { findRevocationCause, rememberRevokedToken } from '../grants/revoked-tokens.ts'
import { findGrantIdsByTokens, onTokensStored } from '../grants/token-records.ts'

/** Client of an issuer, whose grants a notification may name. */
export interface NotifiedClient {
  issuer: string
  clientId: string
}

/** Notifications that wait for the handling of earlier ones, by channel. */
const waiting = new Map<string, SecurityNotification[]>()

/** @returns The notification, or `undefined` for a text that is none, or is about another client. */
export function readNotification(
  { clientId }: NotifiedClient,
  text: string,
): SecurityNotification | undefined {
  try {
    const notification = parseSecurityNotification(parseJson(text))
    return notification.apiInvokerId === clientId ? notification : undefined
  } catch {
    return undefined
  }
}

/** Finds the revoked grants, each with the cause. A notification without a token revokes all grants. */
async function findRevokedGrants(
  { issuer, clientId }: NotifiedClient,
  notifications: SecurityNotification[],
): Promise<Map<GrantRecord, string>> {
  const grants = (await listAllGrants()).filter(
    (grant) => grant.issuer === issuer && grant.clientId === clientId,
  )
  const tokens = notifications.map(({ accessToken }) => accessToken ?? '')
  const grantIds = grants.length === 0 ? new Map() : await findGrantIdsByTokens(new Set(tokens))
  const revoked = new Map<GrantRecord, string>()
  for (const { accessToken, cause } of notifications) {
    if (accessToken !== undefined && !grantIds.has(accessToken)) {
      rememberRevokedToken(issuer, accessToken, cause)
    }
    for (const grant of grants) {
      const isMeant = accessToken === undefined || grantIds.get(accessToken) === grant.grantId
      if (isMeant && !revoked.has(grant)) revoked.set(grant, cause)
    }
  }
  return revoked
}

onTokensStored((grant, accessTokens) => {
  const cause = findRevocationCause(grant.issuer, accessTokens)
  // An error is that of the storage. The tokens have been revoked all the same.
  if (cause !== undefined) endGrant(grant, 'network', cause).catch(() => {})
})

/** Handles a notification, or leaves it to the handling of the same channel that is going on. */
export async function handleNotification(
  channelId: string,
  client: NotifiedClient,
  notification: SecurityNotification,
): Promise<void> {
  const batch = waiting.get(channelId)
  if (batch) {
    batch.push(notification)
    return
  }
  const endings: Promise<unknown>[] = []
  try {
    for (let next = [notification]; next.length > 0; next = waiting.get(channelId) ?? []) {
      waiting.set(channelId, [])
      const revoked = await findRevokedGrants(client, next)
      for (const [grant, cause] of revoked) {
        endings.push(endGrant(grant, 'network', cause).catch(() => {}))
      }
    }
  } finally {
    waiting.delete(channelId)
  }
  await Promise.all(endings)
}
