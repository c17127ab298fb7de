/**
 * Describes a pending flow for the consent window: origin, application, operator, and each API and
 * scope with the name and description that the operator profile gives them.
 */

import type { ConsentApi, ConsentRequest } from '../../../shared/messages/screen-channel.ts'
import { flows } from '../authorization/flow-records.ts'
import { findOperator } from '../operators/operators.ts'

/** The consent request of a flow, or `null` if the flow no longer awaits consent. */
export async function describeConsentRequest(flowId: string): Promise<ConsentRequest | null> {
  const record = await flows.get(flowId)
  if (record?.status !== 'awaitingConsent') return null
  const { origin, applicationName, operatorName, request } = record
  const operator = await findOperator(request.issuer)
  return {
    flowId,
    origin,
    applicationName,
    operatorName,
    issuer: request.issuer,
    mode: request.mode,
    ...(request.reason && { reason: request.reason }),
    apis: request.apis.map((api): ConsentApi => {
      const profile = operator?.apis.find(({ resource }) => resource === api.resource)
      return {
        ...api,
        name: profile?.name ?? api.resource,
        ...(profile?.description && { description: profile.description }),
        scopes: api.scope.split(' ').map((word) => {
          const description = profile?.scopes.find(({ scope }) => scope === word)?.description
          return { scope: word, ...(description && { description }) }
        }),
      }
    }),
  }
}
