/**
 * Takes back access tokens that an API has refused, as a page with a grant in mode `token` reports. A refused token is
 * renewed once. If the API refuses its replacement too, another renewal would not help: from then on the tokens of
 * this API need a new authorization, which the user gives in a window.
 *
 * A page may only harm itself with such a report: it concerns one token that the grant has, and no other token is
 * renewed by it, however often it comes.
 *
 * @see RFC 6750 section 3.1, `invalid_token`
 */

import type { GrantRecord } from '../grants/grants.ts'
import { changeRecord } from '../grants/token-records.ts'
import type { TokenRecord } from '../grants/token-store.ts'
import { interactionRequired } from '../platform/broker-error.ts'

/** A slot begins with its resource, which contains no space. */
const toResource = (slot: string): string => slot.split(' ')[0] ?? ''

/**
 * Removes a refused token. The API of a replacement that was refused is marked.
 *
 * @returns `undefined` if the record does not have the token: it was replaced already.
 */
export function removeRefusedToken(record: TokenRecord, refused: string): TokenRecord | undefined {
  const slots = Object.entries(record.tokens)
  const left = slots.filter(([, { accessToken }]) => accessToken !== refused)
  if (left.length === slots.length) return undefined
  const resources = slots
    .filter(([, { accessToken }]) => accessToken === refused)
    .map(([slot]) => toResource(slot))
    .filter((resource) => record.replacements?.[resource] === refused)
  const marked = new Set([...(record.refused ?? []), ...resources])
  return {
    ...record,
    tokens: Object.fromEntries(left),
    ...(marked.size > 0 && { refused: [...marked] }),
  }
}

/** @returns Whether the refused token was the current one, so that the next token is its replacement. */
export function dropRefusedToken({ grantId }: GrantRecord, refused: string): Promise<boolean> {
  return changeRecord(grantId, (record) => removeRefusedToken(record, refused))
}

/** Remembers that a token came in place of a refused one. */
export async function markReplacement(
  { grantId }: GrantRecord,
  resource: string,
  accessToken: string,
): Promise<void> {
  await changeRecord(grantId, (record) => ({
    ...record,
    replacements: { ...record.replacements, [resource]: accessToken },
  }))
}

/** @throws BrokerError `interaction_required` if the API has refused a replacement. */
export function requireUnrefused({ refused = [] }: TokenRecord, resource: string): void {
  if (!refused.includes(resource)) return
  throw interactionRequired(
    'the API has refused the renewed access token, so the user has to sign in',
  )
}
