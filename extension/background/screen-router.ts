/** What the broker's own screens may ask. No page can reach this table. */

import type {
  ConsentRequest,
  ScreenMethod,
  ScreenMethods,
  ScreenRequest,
} from '../../shared/messages/screen-channel.ts'
import { approve, cancel } from './authorization.ts'
import { flows } from './flows.ts'
import { allGrants } from './grants.ts'
import { findOperator } from './operators.ts'
import { rememberRefusal } from './refusals-remembered.ts'
import { endGrant } from './revoke.ts'

async function getConsentRequest(flowId: string): Promise<ConsentRequest | null> {
  const record = await flows.get(flowId)
  if (record?.status !== 'awaitingConsent') return null
  const { origin, applicationName, operatorName, request } = record
  const operator = await findOperator(request.issuer)
  return {
    flowId,
    origin,
    applicationName,
    operatorName,
    mode: request.mode,
    ...(request.reason ? { reason: request.reason } : {}),
    apis: request.apis.map((api) => {
      const known = operator?.apis.find(({ resource }) => resource === api.resource)
      const words = api.scope.split(' ')
      return {
        ...api,
        name: known?.name ?? api.resource,
        ...(known?.description ? { description: known.description } : {}),
        scopes: words.map(
          (word) => known?.scopes.find(({ scope }) => scope === word)?.description ?? word,
        ),
      }
    }),
  }
}

const handlers: { [M in ScreenMethod]: (params: ScreenMethods[M]['params']) => Promise<unknown> } =
  {
    getConsentRequest: ({ flowId }) => getConsentRequest(flowId),
    async approve({ flowId, apis, lifetime }) {
      const record = await flows.get(flowId)
      if (record?.status !== 'awaitingConsent') return
      // The user may take away; nothing can be added to what the page asked for.
      const kept = record.request.apis.filter((api) => apis.includes(api.resource))
      await (kept.length > 0 ? approve(flowId, { apis: kept, lifetime }) : cancel(flowId))
    },
    async deny({ flowId }) {
      const record = await flows.get(flowId)
      if (record) await rememberRefusal(record.origin, record.request.issuer)
      await cancel(flowId)
    },
    listGrants: async () => allGrants(),
    async revokeGrant({ grantId }) {
      const grant = (await allGrants()).find((candidate) => candidate.grantId === grantId)
      if (grant) await endGrant(grant, 'user')
    },
  }

export function handleScreenRequest({ method, params }: ScreenRequest): Promise<unknown> {
  if (!Object.hasOwn(handlers, method)) return Promise.reject(new Error('method: not known'))
  const handler = handlers[method] as (params: unknown) => Promise<unknown>
  return handler(params)
}
