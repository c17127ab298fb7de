/**
 * Describes a pending flow for the consent window: origin, application, operator, the host at which the user
 * signs in, and each API and scope with the name and description that the operator profile gives them.
 */

import type { ConsentApi, ConsentRequest } from '../../../shared/messages/screen-channel.ts'
import { scopeWords } from '../../../shared/oauth/scope.ts'
import { flows } from '../authorization/flow-records.ts'
import { getSignInOrigin } from '../operators/operator-servers.ts'
import { findOperator } from '../operators/operators.ts'

/** Sorts the members of an object: a browser that stores an object may read it back in another order. */
function sortMembers(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const sorted = Object.entries(value).sort(([first], [second]) => (first < second ? -1 : 1))
  return Object.fromEntries(sorted)
}

/**
 * Digest of what the user decides on: the request of the page and the profile of the operator. An approval
 * holds for this digest alone.
 */
async function computeDigest(...parts: unknown[]): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(parts, sortMembers))
  const digest = await crypto.subtle.digest('SHA-256', text)
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
}

/** The consent request of a flow, or `null` if the flow no longer awaits consent. */
export async function describeConsentRequest(flowId: string): Promise<ConsentRequest | null> {
  const record = await flows.get(flowId)
  if (record?.status !== 'awaitingConsent') return null
  const { origin, applicationName, operatorName, request } = record
  const operator = await findOperator(request.issuer)
  // The operator was removed in the meantime: its flow cannot succeed.
  if (!operator) return null
  return {
    flowId,
    digest: await computeDigest(origin, request, operator),
    origin,
    applicationName,
    operatorName,
    issuer: request.issuer,
    signInHost: new URL(getSignInOrigin(operator)).host,
    mode: request.mode,
    ...(request.reason && { reason: request.reason }),
    apis: request.apis.map((api): ConsentApi => {
      const profile = operator.apis.find(({ resource }) => resource === api.resource)
      return {
        ...api,
        name: profile?.name ?? api.resource,
        ...(profile?.description && { description: profile.description }),
        scopes: scopeWords(api.scope).map((word) => {
          const description = profile?.scopes.find(({ scope }) => scope === word)?.description
          return { scope: word, ...(description && { description }) }
        }),
      }
    }),
  }
}
