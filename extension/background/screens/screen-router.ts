/**
 * Routes the requests of the broker's own screens (consent, popup, options) to their handlers.
 *
 * Border: `index.ts` has verified that the sender is a screen of the broker. A page cannot reach this
 * table; its methods are in `page/page-router.ts`.
 */

import type {
  AcceptedOperator,
  OperatorCheck,
  ScreenAnswer,
  ScreenMethod,
  ScreenMethods,
  ScreenRequest,
} from '../../../shared/messages/screen-channel.ts'
import { isWholeRequest, selectApprovedApis } from '../authorization/approved-apis.ts'
import { approveFlow, cancelFlow, failFlow } from '../authorization/authorization-flow.ts'
import { flows } from '../authorization/flow-records.ts'
import { blockFromOperators } from '../authorization/redirect-rules.ts'
import { endGrant } from '../grants/end-grant.ts'
import { listAllGrants } from '../grants/grants.ts'
import { deleteWithdrawnWaivers } from '../grants/withdrawn-waivers.ts'
import {
  type Access,
  endAccess,
  endChangedAccess,
  listChangedGrants,
} from '../lifecycle/end-access.ts'
import { endPermissionRequest, openPermissionRequest } from '../lifecycle/permission-request.ts'
import { describeSite, describeSites, stopSite, useSite } from '../lifecycle/site-changes.ts'
import { removeUnneededPermissions } from '../lifecycle/unneeded-permissions.ts'
import {
  addConfirmedServers,
  addOperator,
  checkOperator,
  describeOperators,
  discoverOperator,
  removeOperator,
} from '../operators/operators.ts'
import { interrupted } from '../platform/broker-error.ts'
import { log } from '../platform/log.ts'
import { describeConsentRequest } from './consent-request.ts'

/** Ends the question that came before a change of an operator. A change that was rejected needs no permissions. */
async function endImport<T extends OperatorCheck>(importing: Promise<T>): Promise<T> {
  const check = await importing
  await endPermissionRequest()
  if (!check.reasons) await blockFromOperators()
  // A profile that replaces another one may name fewer servers.
  await removeUnneededPermissions()
  return check
}

/** Adds the origins whose grants end, if the profile replaces another one. */
async function addEndingOrigins<T extends OperatorCheck>(check: T): Promise<T> {
  const { profile, replaces } = check as AcceptedOperator
  if (!replaces) return check
  const grants = await listChangedGrants(replaces.profile, profile)
  const endingOrigins = [...new Set(grants.map(({ origin }) => origin))]
  return { ...check, replaces: { ...replaces, endingOrigins } }
}

type Handlers = {
  [M in ScreenMethod]: (params: ScreenMethods[M]['params']) => Promise<ScreenMethods[M]['result']>
}

const handlers: Handlers = {
  getConsentRequest: ({ flowId }) => describeConsentRequest(flowId),
  async approve({ flowId, digest, apis, lifetime }) {
    const record = await flows.get(flowId)
    if (record?.status !== 'awaitingConsent') return
    // The window shows what was true when it opened.
    const shown = await describeConsentRequest(flowId)
    if (shown?.digest !== digest) {
      await failFlow(flowId, interrupted())
      return
    }
    const approved = selectApprovedApis(record.request.apis, apis)
    await (approved.length > 0
      ? approveFlow(flowId, {
          apis: approved,
          lifetime,
          isWhole: isWholeRequest(record.request.apis, approved),
        })
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
  checkOperator: async ({ text }) => addEndingOrigins(await checkOperator(text)),
  discoverOperator: async ({ text }) => addEndingOrigins(await discoverOperator(text)),
  addOperator: ({ text, replacing }) => endImport(addOperator(text, replacing, endChangedAccess)),
  addServers: ({ issuer, additions }) => endImport(addConfirmedServers(issuer, additions)),
  async removeOperator({ issuer }) {
    const isAtOperator = (access: Access) => access.issuer === issuer
    // The grants end first: their tokens can be revoked only while the operator's profile is stored.
    await endAccess(isAtOperator)
    await removeOperator(issuer)
    // Meanwhile a page may have begun something new.
    await endAccess(isAtOperator)
    await blockFromOperators()
    await deleteWithdrawnWaivers(issuer)
    return { permissions: await removeUnneededPermissions() }
  },

  getSite: ({ origin, tabId }) => describeSite(origin, tabId),
  listSites: () => describeSites(),
  async openPermissionRequest({ permissions, site }) {
    await openPermissionRequest(permissions, site)
  },
  async endPermissionRequest() {
    await endPermissionRequest()
    await removeUnneededPermissions()
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

/** Handles a request of a screen. @returns The answer, which is never rejected. */
export async function answerScreenRequest(request: ScreenRequest): Promise<ScreenAnswer> {
  try {
    return { result: await handleScreenRequest(request) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : 'Northkey could not do this.' }
  }
}
