/**
 * Negotiates the security context of an API invoker at a CAPIF core: the APIs are used with OAuth and PKCE, and
 * the core reports revocations over a WebSocket.
 *
 * A core that rejects API invokers without a certificate (TS 29.222 clause 10.2) does not negotiate with the
 * broker. That is the operator's choice, and the flow continues without notifications.
 */

import type { Effects } from '../oauth/effects.ts'
import { withOwnErrors } from '../oauth/error.ts'
import { sendRequest } from '../oauth/http.ts'
import { readJsonObject } from '../oauth/json-response.ts'
import { parseCapifScope } from '../profiles/capif-scope.ts'
import {
  type CapifNegotiation,
  capifServiceSecurity,
  readServiceSecurity,
} from '../profiles/capif-security.ts'
import type { ServerConfig } from '../profiles/profile.ts'

const ENDPOINT = 'security context of the CAPIF core'

/**
 * @returns The negotiated values, or `undefined` if the core does not negotiate.
 * @see TS 29.222 clause 8.5, `PUT /trustedInvokers/{apiInvokerId}`
 */
export function negotiateSecurity(
  server: ServerConfig,
  clientId: string,
  scopes: readonly string[],
  effects: Effects,
): Promise<CapifNegotiation | undefined> {
  return withOwnErrors(async () => {
    const { apiRoot, notifications } = server.capif ?? {}
    if (server.profile !== 'capif' || apiRoot === undefined) return undefined
    // A scope has API names only; the identifiers of published APIs are known to onboarded invokers only.
    const aefIds = scopes.flatMap((scope) => parseCapifScope(scope).aefs.map(({ aefId }) => aefId))
    const apis = [...new Set(aefIds)].map((aefId) => ({ aefId }))
    const invoker = encodeURIComponent(clientId)
    const response = await sendRequest(
      `${apiRoot.replace(/\/+$/, '')}/capif-security/v1/trustedInvokers/${invoker}`,
      {
        method: 'PUT',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(capifServiceSecurity(apis, notifications)),
      },
      ENDPOINT,
      effects,
    )
    if (response.status !== 200 && response.status !== 201) return undefined
    return readServiceSecurity(readJsonObject(response, ENDPOINT))
  })
}
