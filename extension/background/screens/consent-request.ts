/** What the consent window shows of a flow. */

import type { ConsentApi, ConsentRequest } from '../../../shared/messages/screen-channel.ts'
import { flows } from '../authorization/flow-records.ts'
import { findOperator } from '../operators/operators.ts'

/** The flow's request in the operator's words, or `null` where it is over. */
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
      const known = operator?.apis.find(({ resource }) => resource === api.resource)
      return {
        ...api,
        name: known?.name ?? api.resource,
        ...(known?.description && { description: known.description }),
        scopes: api.scope.split(' ').map((word) => {
          const description = known?.scopes.find(({ scope }) => scope === word)?.description
          return { scope: word, ...(description && { description }) }
        }),
      }
    }),
  }
}
