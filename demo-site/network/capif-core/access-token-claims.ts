/**
 * Sets the claims of CAPIF access tokens: `iss` is the API invoker, and `resOwnerId` names the resource owner by
 * GPSI. @see TS 29.222 table 8.5.4.2.8-1, TS 33.122 annex C.2.2
 */

import type { SubscriberDirectory } from '../subscribers.ts'

interface Parts {
  payload: Record<string, unknown>
}

export function setAccessTokenClaims(
  token: unknown,
  parts: Parts,
  subscribers: SubscriberDirectory,
) {
  const accountId = Reflect.get(Object(token), 'accountId')
  const subscriber = subscribers.byId(String(accountId))
  const { client_id, scope, exp, iat, jti, aud } = parts.payload
  parts.payload = {
    iss: client_id,
    client_id,
    scope,
    exp,
    iat,
    jti,
    aud,
    ...(subscriber ? { resOwnerId: { gpsi: subscriber.gpsi } } : {}),
  }
}
