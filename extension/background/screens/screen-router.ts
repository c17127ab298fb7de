/**
 * Routes the requests of the broker's own screens (consent, popup, options) to their handlers.
 *
 * Border: `index.ts` has verified that the sender is a screen of the broker. A page cannot reach this
 * table; its methods are in `page/page-router.ts`.
 */

import type {
  ScreenMethod,
  ScreenMethods,
  ScreenRequest,
} from '../../../shared/messages/screen-channel.ts'
import { selectApprovedApis } from '../authorization/approved-apis.ts'
import { approveFlow, cancelFlow } from '../authorization/authorization-flow.ts'
import { flows } from '../authorization/flow-records.ts'
import { blockFromOperators } from '../authorization/redirect-rules.ts'
import { endGrant } from '../grants/end-grant.ts'
import { listAllGrants } from '../grants/grants.ts'
import { deleteWithdrawnWaivers } from '../grants/withdrawn-waivers.ts'
import {
  describeSite,
  describeSites,
  proposeSite,
  stopSite,
  useSite,
} from '../lifecycle/site-changes.ts'
import {
  addConfirmedServers,
  addOperator,
  checkOperator,
  describeOperators,
  discoverOperator,
  removeOperator,
} from '../operators/operators.ts'
import { log } from '../platform/log.ts'
import { describeConsentRequest } from './consent-request.ts'

type Handlers = {
  [M in ScreenMethod]: (params: ScreenMethods[M]['params']) => Promise<ScreenMethods[M]['result']>
}

const handlers: Handlers = {
  getConsentRequest: ({ flowId }) => describeConsentRequest(flowId),
  async approve({ flowId, apis, lifetime }) {
    const record = await flows.get(flowId)
    if (record?.status !== 'awaitingConsent') return
    const approved = selectApprovedApis(record.request.apis, apis)
    await (approved.length > 0
      ? approveFlow(flowId, { apis: approved, lifetime })
      : cancelFlow(flowId, 'user'))
  },
  async deny({ flowId }) {
    await cancelFlow(flowId, 'user')
  },

  listGrants: () => listAllGrants(),
  async revokeGrant({ grantId }) {
    const grant = (await listAllGrants()).find((candidate) => candidate.grantId === grantId)
    if (grant) await endGrant(grant, 'user')
  },

  listOperators: () => describeOperators(),
  checkOperator: ({ text }) => checkOperator(text),
  discoverOperator: ({ text }) => discoverOperator(text),
  async addOperator({ text }) {
    const check = await addOperator(text)
    await blockFromOperators()
    return check
  },
  async addServers({ issuer, additions }) {
    const check = await addConfirmedServers(issuer, additions)
    await blockFromOperators()
    return check
  },
  async removeOperator({ issuer }) {
    // The grants end first: their tokens can be revoked only while the operator's profile is stored.
    const grants = (await listAllGrants()).filter((grant) => grant.issuer === issuer)
    await Promise.allSettled(grants.map((grant) => endGrant(grant, 'user')))
    await removeOperator(issuer)
    await blockFromOperators()
    await deleteWithdrawnWaivers(issuer)
  },

  getSite: ({ origin, tabId }) => describeSite(origin, tabId),
  listSites: () => describeSites(),
  async proposeSite({ origin, tabId }) {
    await proposeSite(origin, tabId)
  },
  useSite: ({ origin, tabId }) => useSite(origin, tabId),
  stopSite: ({ origin }) => stopSite(origin),

  readLog: () => log.read(),
  async clearLog() {
    await log.clear()
  },
}

/**
 * Handles a request of a screen.
 *
 * @returns The result, which is rejected with an `Error` for an unknown method.
 */
export function handleScreenRequest({ method, params }: ScreenRequest): Promise<unknown> {
  if (!Object.hasOwn(handlers, method)) return Promise.reject(new Error('method: not known'))
  const handler = handlers[method] as (params: unknown) => Promise<unknown>
  return handler(params)
}
