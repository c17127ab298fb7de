/**
 * Renews the tokens of a grant by an authorization without a window. Such an authorization belongs to whoever has a
 * session at the operator. So it renews only a grant whose subscriber is identified, and has to bring an ID token of
 * that subscriber.
 *
 * Border: `authorization/silent-authorization.ts` sends the requests; `refused-attempts.ts` pauses them.
 *
 * @see OpenID Connect Core section 3.1.2.1
 */

import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { type ApiAccess, ERROR_CODE } from '../../../shared/messages/page-api.ts'
import {
  authorizeSilently,
  needsInteraction,
  toInteractionRequired,
} from '../authorization/silent-authorization.ts'
import { deleteKey } from '../clients/keys.ts'
import { sendGrantsChanged } from '../grants/grant-events.ts'
import { changeGrant, type GrantRecord } from '../grants/grants.ts'
import { getTokenSlot, type StoredToken, toStoredToken } from '../grants/stored-token.ts'
import { isSameSubscriber } from '../grants/subject-handle.ts'
import { revokeUnused } from '../grants/token-endings.ts'
import { saveTokens } from '../grants/token-records.ts'
import { markTokenUse } from '../grants/token-use.ts'
import { BrokerError, interactionRequired } from '../platform/broker-error.ts'
import { recordRefusal, requireAttempt } from './refused-attempts.ts'

const anotherSubscriber = () =>
  new BrokerError(
    ERROR_CODE.interactionRequired,
    'login_required',
    'another subscriber is signed in at the operator',
  )

/**
 * @param currentKeyId Key of the authorization that is renewed, if the grant has tokens.
 * @throws BrokerError or NorthkeyError; `interaction_required` if the operator refuses, or only the user can renew
 * the grant.
 */
export async function renewSilently(
  grant: GrantRecord,
  server: OperatorProfile,
  api: ApiAccess,
  scope: string,
  currentKeyId: string | undefined,
): Promise<StoredToken> {
  if (grant.subscriber !== 'identified') {
    throw interactionRequired(
      'the operator has not identified the subscriber of this grant, so only the user can renew it',
    )
  }
  requireAttempt(grant.grantId, currentKeyId)
  const keyId = crypto.randomUUID()
  const authorized = await authorizeSilently({
    server,
    origin: grant.origin,
    clientId: grant.clientId,
    apis: [{ ...api, scope }, ...grant.apis.filter((grantedApi) => grantedApi !== api)],
    keyId,
    idToken: true,
  }).catch(async (cause) => {
    const error = toInteractionRequired(cause)
    if (needsInteraction(error)) recordRefusal(grant.grantId, currentKeyId, error)
    await deleteKey(keyId)
    throw error
  })
  const { clientId = grant.clientId } = authorized
  const renewed = { ...grant, clientId }
  try {
    if (!(await isSameSubscriber(grant, authorized))) throw anotherSubscriber()
  } catch (error) {
    await revokeUnused(renewed, keyId, authorized)
    throw error
  }
  const tokens = await markTokenUse(grant, api.resource, authorized.tokens)
  await saveTokens(renewed, keyId, getTokenSlot(api, scope), { ...authorized, tokens })
  if (clientId !== grant.clientId) {
    await changeGrant(grant, () => ({ clientId }))
    await sendGrantsChanged(grant.origin)
  }
  return toStoredToken(tokens, Date.now())
}
