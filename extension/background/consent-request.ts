/** What the consent window shows of a flow, and what of it the user may leave. */

import type { ApiAccess } from '../../shared/messages/page-api.ts'
import type {
  ApprovedApi,
  ConsentApi,
  ConsentRequest,
} from '../../shared/messages/screen-channel.ts'
import { flows } from './flows.ts'
import { findOperator } from './operators.ts'

/** The flow's request in the operator's words, or `null` where it is over. */
export async function consentRequestOf(flowId: string): Promise<ConsentRequest | null> {
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

/** What the page asked for without what the user took away. Nothing can be added. */
export function keptApis(
  asked: readonly ApiAccess[],
  approved: readonly ApprovedApi[],
): ApiAccess[] {
  return asked.flatMap((api, index) => {
    const left = new Set(approved.filter((each) => each.index === index).flatMap((e) => e.scopes))
    const scope = api.scope
      .split(' ')
      .filter((word) => left.has(word))
      .join(' ')
    return scope === '' ? [] : [{ ...api, scope }]
  })
}
