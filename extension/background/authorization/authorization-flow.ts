/**
 * A flow from the page's wish to the grant: consent, sign-in, redirect, code exchange. Every step reads
 * its record, writes the next one, and only then acts; `resume` takes up whatever a stopped worker left.
 */

import {
  beginAuthorization,
  discover,
  receiveAuthorizationResponse,
  redeemCode,
} from '../../../shared/core/index.ts'
import type { Outcome } from '../../../shared/messages/document-channel.ts'
import { getClientKey, getRedirectUri, resolveClientId } from '../clients/clients.ts'
import { getFlowDpopKey } from '../clients/dpop.ts'
import { getKey } from '../clients/keys.ts'
import type { AuthorizationResult } from '../grants/authorization-result.ts'
import { sendGrantsChanged } from '../grants/grant-events.ts'
import { getGrant, toPublicGrant } from '../grants/grants.ts'
import { findOperator } from '../operators/operators.ts'
import {
  accessDenied,
  interrupted,
  noGrant,
  timedOut,
  toErrorObject,
} from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { wakeAt } from '../platform/housekeeping-alarm.ts'
import { redirectBase } from '../platform/redirect-base.ts'
import { listenForRevocations, openChannel } from './capif-revocation-channel.ts'
import { createGrant, endSupersededGrants } from './create-grant.ts'
import { clearDenials } from './denial-cooldown.ts'
import {
  failOrphanedCalls,
  runFlowStep,
  runInFlowQueue,
  settleFlow,
  waitForOutcome,
} from './flow-outcomes.ts'
import {
  type Approval,
  baseOf,
  type FlowBase,
  type FlowIn,
  type FlowRecord,
  flows,
  tabOf,
} from './flow-records.ts'
import { authorizeSilently, windowMayHelp } from './silent-authorization.ts'
import * as windows from './windows.ts'

/** Writes down which tab a flow's window has; one that cannot be written down is closed again. */
async function recordTab(
  opening: Promise<number>,
  recordWith: (tabId: number) => FlowRecord,
): Promise<number> {
  const tabId = await opening
  const record = recordWith(tabId)
  try {
    await flows.set(record.flowId, record)
  } catch (error) {
    await windows.closeTab(tabId)
    throw error
  }
  return tabId
}

/** The record is written before the window opens. */
export async function startFlow(base: FlowBase, consent: Approval | 'ask'): Promise<Outcome> {
  const { flowId } = base
  const outcome = waitForOutcome(flowId)
  await runFlowStep(flowId, async () => {
    await wakeAt(base.deadlineMs)
    if (consent !== 'ask') return prepareFlow({ ...base, status: 'preparing', approval: consent })
    await flows.set(flowId, { ...base, status: 'awaitingConsent' })
    await recordTab(windows.openConsent(flowId), (tabId) => ({
      ...base,
      status: 'awaitingConsent',
      tabId,
    }))
  })
  return outcome
}

/** The user approved in the broker's own window. */
export function approveFlow(flowId: string, approval: Approval): Promise<void> {
  return runFlowStep(flowId, async () => {
    const record = await flows.get(flowId)
    if (record?.status !== 'awaitingConsent') return
    const tabId = record.tabId ?? (await windows.findConsentTab(flowId))
    await clearDenials(record.origin, record.request.issuer)
    await prepareFlow({ ...baseOf(record), status: 'preparing', approval, tabId })
    await windows.closeTab(tabId)
  })
}

/** The user refused or closed the window; or the page gave up, which is no refusal of the user's. */
export function cancelFlow(flowId: string, by: 'user' | 'page' = 'page'): Promise<void> {
  return runInFlowQueue(flowId, async () => {
    const record = await flows.get(flowId)
    if (!record || record.status === 'settled' || record.status === 'redeeming') return
    await settleFlow(record, { error: toErrorObject(accessDenied()) }, by)
  })
}

async function prepareFlow(record: FlowIn<'preparing'>): Promise<void> {
  await flows.set(record.flowId, record)
  const { request, approval, deadlineMs, flowId, origin } = record
  const { loginHint, acrValues, maxAge } = request
  const server = await findOperator(request.issuer)
  if (!server) throw noGrant()
  const metadata = await discover(server, createEffects())
  const clientId = await resolveClientId(server, metadata, origin, request.clientId)
  await openChannel(server, clientId, approval.apis)
  if (record.silentFirst) {
    try {
      const { apis } = approval
      const silent = { server, metadata, origin, clientId, apis, loginHint, keyId: flowId }
      return await finishFlow(record, await authorizeSilently(silent), approval, clientId)
    } catch (error) {
      if (!windowMayHelp(error)) throw error
    }
  }
  const { flow, authorizationUrl } = await beginAuthorization(
    {
      server,
      metadata,
      clientId,
      redirectUri: await getRedirectUri(request.issuer),
      apis: approval.apis,
      deadlineMs,
      offlineAccess: true,
      loginHint,
      acrValues,
      maxAge,
      dpop: await getFlowDpopKey(server, metadata, flowId),
      clientKey: await getClientKey(server, origin),
    },
    createEffects(),
  )
  const tabId = await recordTab(windows.openSignIn(flowId), (tabId) => ({
    ...baseOf(record),
    status: 'awaitingAuthorizationResponse',
    approval,
    flow,
    tabId,
  }))
  if (!(await windows.navigateTab(tabId, authorizationUrl))) throw accessDenied()
}

/** Tabs whose response is here and waits for its turn. */
const respondedTabs = new Set<number>()

/** A navigation to the broker's redirect URI, in whatever tab. Only the flow's own tab counts. */
export async function handleRedirect(tabId: number, url: string): Promise<void> {
  respondedTabs.add(tabId)
  try {
    await receiveResponse(tabId, url)
  } finally {
    respondedTabs.delete(tabId)
  }
}

async function receiveResponse(tabId: number, url: string): Promise<void> {
  const record = (await flows.all()).find((candidate) => tabOf(candidate) === tabId)
  if (!record) return
  await runFlowStep(record.flowId, async () => {
    const current = await flows.get(record.flowId)
    if (current?.status !== 'awaitingAuthorizationResponse' || current.tabId !== tabId) return
    const redeemable = receiveAuthorizationResponse(current.flow, url, Date.now())
    const { approval } = current
    const next = { ...baseOf(current), status: 'redeemable' as const, approval, redeemable }
    await flows.set(current.flowId, next)
    void windows.closeTab(tabId)
    await redeemFlow(next)
  })
}

async function redeemFlow(record: FlowIn<'redeemable'>): Promise<void> {
  const { flowId, approval, redeemable, request, origin } = record
  await flows.set(flowId, { ...baseOf(record), status: 'redeeming', approval })
  const server = await findOperator(request.issuer)
  if (!server) throw noGrant()
  const tokens = await redeemCode(redeemable, createEffects(), {
    dpop: await getKey(flowId),
    clientKey: await getClientKey(server, origin),
  })
  const authorized = { tokens, metadata: redeemable.metadata }
  await finishFlow(record, authorized, approval, redeemable.clientId)
}

/** The grant, then the answer to the page, then what follows from it and may fail. */
async function finishFlow(
  record: FlowRecord,
  authorized: AuthorizationResult,
  approval: Approval,
  clientId: string,
): Promise<void> {
  const grant = await createGrant(record, authorized, approval, clientId)
  await settleFlow(record, { result: toPublicGrant(grant) })
  await endSupersededGrants(grant)
  await listenForRevocations()
  await sendGrantsChanged(record.origin)
}

/** What a stopped worker left of this flow is finished where that is safe, and failed where it is not. */
async function resumeFlow(record: FlowRecord): Promise<void> {
  const fail = (error: Error) => settleFlow(record, { error: toErrorObject(error) })
  if (record.status !== 'settled' && Date.now() > record.deadlineMs) {
    return fail(timedOut('the user did not finish in time'))
  }
  switch (record.status) {
    case 'awaitingConsent': {
      const tabId = record.tabId ?? (await windows.findConsentTab(record.flowId))
      // The worker died before it opened the window.
      if (tabId === undefined) return fail(interrupted())
      if (!(await windows.readTabState(tabId))) return fail(accessDenied())
      return flows.set(record.flowId, { ...record, tabId })
    }
    case 'preparing': {
      const { tabId: _, ...again } = record
      // Its windows are closed by the broker now: that is no refusal of the user's.
      await flows.set(record.flowId, again)
      await windows.closeBrokerTabs(record.flowId)
      return prepareFlow(again)
    }
    case 'awaitingAuthorizationResponse': {
      const tab = await windows.readTabState(record.tabId)
      if (!tab) return fail(accessDenied())
      if (respondedTabs.has(record.tabId)) return
      // The worker died with the response in its hands: the tab stands at the blocked redirect URI.
      if (tab.url?.startsWith(redirectBase)) return fail(interrupted())
      // Or before it sent the user on.
      if (windows.isAtWaitingPicture(tab)) return fail(interrupted())
      return
    }
    case 'redeemable':
      return redeemFlow(record)
    case 'redeeming': {
      const grantId = record.renews ?? record.flowId
      const grant = await getGrant(record.origin, grantId).catch(() => undefined)
      if (grant) return settleFlow(record, { result: toPublicGrant(grant) })
      return fail(interrupted())
    }
    case 'settled':
      return settleFlow(record, record.outcome)
  }
}

async function findFlowOfCall(origin: string, requestId: string): Promise<FlowRecord | undefined> {
  const records = await flows.all()
  return records.find((record) => record.requestId === requestId && record.origin === origin)
}

/** Takes up the flow that a call of this origin started, if there is one. */
export async function resumeFlowOfCall(
  origin: string,
  requestId: string,
): Promise<Outcome | undefined> {
  const record = await findFlowOfCall(origin, requestId)
  if (!record) return undefined
  const { flowId } = record
  const outcome = waitForOutcome(flowId)
  await runFlowStep(flowId, async () => {
    const current = await flows.get(flowId)
    if (current) await resumeFlow(current)
  })
  return outcome
}

/** The page gave up a call that an earlier worker took. */
export async function cancelFlowOfCall(origin: string, requestId: string): Promise<void> {
  const record = await findFlowOfCall(origin, requestId)
  if (record) await cancelFlow(record.flowId)
}

/** The pending flow of an origin, if the user is at one of its windows. */
export async function findPendingFlow(origin: string): Promise<FlowRecord | undefined> {
  const records = await flows.all()
  return records.find((record) => record.origin === origin && record.status !== 'settled')
}

export async function handleTabClosed(tabId: number): Promise<void> {
  for (const record of await flows.all()) {
    const isItsWindow = tabOf(record) === tabId
    // A renewal may have callers in other tabs; each of those says itself when it gives up.
    const isItsPage = record.pageTabId === tabId && record.renews === undefined
    if (isItsWindow) await cancelFlow(record.flowId, 'user')
    else if (isItsPage) await cancelFlow(record.flowId)
  }
  await failOrphanedCalls()
}

/** Fails the flows whose time is over, and those whose window went unseen. */
export async function settleOverdueFlows(): Promise<void> {
  for (const { flowId } of await flows.all()) {
    await runFlowStep(flowId, async () => {
      const record = await flows.get(flowId)
      if (!record) return
      const overdue = Date.now() > record.deadlineMs
      // The alarm that rang may have been another's.
      if (!overdue) await wakeAt(record.deadlineMs)
      if (record.status === 'settled' && overdue) return flows.delete(flowId)
      if (record.status !== 'settled') await resumeFlow(record)
    })
  }
  await failOrphanedCalls()
}
