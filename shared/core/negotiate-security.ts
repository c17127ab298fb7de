/**
 * The security context of an API invoker at a CAPIF core: settles that the APIs are used with OAuth and
 * PKCE, and where the core tells of a revocation.
 *
 * A core that keeps invokers without a certificate out (TS 29.222 clause 10.2) negotiates nothing with
 * us; that is the operator's choice, and the flow goes on without notifications.
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
 * @returns What the core settled on, or `undefined` where it does not negotiate.
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
    // A scope names APIs by name; the identifiers of publication are for onboarded invokers to know.
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
