/**
 * Runs an authorization flow: consent, sign-in, redirect, code exchange, grant.
 *
 * The browser may stop the worker at any line. Each step therefore reads the record of the flow, writes
 * the record of the next state, and acts only then. A new worker continues the flow with `resumeFlow`
 * where that is safe, and fails it where it is not.
 *
 * Border: `flow-records.ts` has the states and their store, `sign-in-window.ts` sends the authorization request,
 * `flow-outcomes.ts` ends a flow and answers its call, `create-grant.ts` creates the grant, `shared/core` builds and
 * checks the OAuth messages.
 *
 * @see RFC 6749 section 4.1, RFC 7636, RFC 9700 section 2.1
 */

import { receiveAuthorizationResponse, redeemCode } from '../../../shared/core/index.ts'
import type { Outcome } from '../../../shared/messages/document-channel.ts'
import { SIGN_IN_CLOSE_DELAY_MS } from '../../limits.ts'
import { giveUpServer, isDefiniteRefusal } from '../clients/client-retry.ts'
import { getClientKey } from '../clients/clients.ts'
import { getKey } from '../clients/keys.ts'
import type { AuthorizationResult } from '../grants/authorization-result.ts'
import { sendGrantsChanged } from '../grants/grant-events.ts'
import { getGrant, toPublicGrant } from '../grants/grants.ts'
import { revokeUnused } from '../grants/token-endings.ts'
import { restoreWaiver, withdrawWaiver } from '../grants/withdrawn-waivers.ts'
import { getServerOrigins } from '../operators/operator-servers.ts'
import { findOperator } from '../operators/operators.ts'
import {
  accessDenied,
  interrupted,
  operatorGone,
  timedOut,
  toErrorObject,
} from '../platform/broker-error.ts'
import { createEffects } from '../platform/effects.ts'
import { wakeAt } from '../platform/housekeeping-alarm.ts'
import { redirectBase } from '../platform/redirect-base.ts'
import { runTogether } from '../platform/run-together.ts'
import { unwatchTab } from './blocked-redirect.ts'
import { listenForRevocations } from './capif-revocation-channel.ts'
import { checkRequest } from './check-request.ts'
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
  type FlowBase,
  type FlowIn,
  type FlowRecord,
  type FlowStatus,
  flows,
  getFlowBase,
  getFlowTab,
} from './flow-records.ts'
import { forgetTab } from './redirect-rules.ts'
import { handleArrival, responseArrives } from './response-arrival.ts'
import {
  type FlowClient,
  findClient,
  findFlowOfTab,
  forgetFlowOfTab,
  needsIdToken,
  openSignIn,
  watchSignIn,
} from './sign-in-window.ts'
import { authorizeSilently, windowMayHelp } from './silent-authorization.ts'
import { spendActivation } from './user-activation.ts'
import * as windows from './windows.ts'

const TOO_LATE = 'the user did not finish in time'

/** Opens the consent window, and stores its tab. If the record cannot be written, the window is closed again. */
async function openConsent(base: FlowBase): Promise<void> {
  const tabId = await windows.openConsent(base.flowId)
  try {
    await flows.set(base.flowId, { ...base, status: 'awaitingConsent', tabId })
  } catch (error) {
    await windows.closeTab(tabId)
    throw error
  }
}

/**
 * Starts a flow. Its record is written before its window opens.
 *
 * @param consent The approval, where the user's consent is not needed; otherwise `'ask'`.
 * @returns The outcome, once the flow has ended.
 */
export async function startFlow(base: FlowBase, consent: Approval | 'ask'): Promise<Outcome> {
  const { flowId } = base
  const outcome = waitForOutcome(flowId)
  await runFlowStep(flowId, async () => {
    const waking = wakeAt(base.deadlineMs)
    if (consent !== 'ask') {
      return prepareFlow({ ...base, status: 'preparing', approval: consent }, waking)
    }
    await runTogether([waking, flows.set(flowId, { ...base, status: 'awaitingConsent' })])
    await checkRequest(base)
    await spendActivation(base)
    await openConsent(base)
  })
  return outcome
}

/** Continues a flow that the user approved in the consent window. */
export function approveFlow(flowId: string, approval: Approval): Promise<void> {
  return runFlowStep(flowId, async () => {
    const record = await flows.get(flowId)
    if (record?.status !== 'awaitingConsent') return
    // The alarm for the deadline may come late, after the machine has slept.
    if (Date.now() > record.deadlineMs) throw timedOut(TOO_LATE)
    const tabId = record.tabId ?? (await windows.findConsentTab(flowId))
    const { origin, request } = record
    await clearDenials(origin, request.issuer)
    if (!approval.isWhole) await withdrawWaiver({ origin, issuer: request.issuer })
    const base = getFlowBase(record)
    await prepareFlow({ ...base, status: 'preparing', approval, isConsented: true, tabId })
    await windows.closeTab(tabId)
  })
}

/** Ends a flow that awaits consent, for a reason that is not the user's. */
export function failFlow(flowId: string, error: Error): Promise<void> {
  return runFlowStep(flowId, async () => {
    if ((await flows.get(flowId))?.status === 'awaitingConsent') throw error
  })
}

/**
 * Cancels a flow whose code has not been sent: the user denied or closed the window, or the page
 * aborted its call.
 *
 * @param by Who cancels. Only a cancellation by the user counts as a denial.
 */
export function cancelFlow(flowId: string, by: 'user' | 'page' = 'page'): Promise<void> {
  return runInFlowQueue(flowId, async () => {
    const record = await flows.get(flowId)
    if (!record || record.status === 'settled' || record.status === 'redeeming') return
    await settleFlow(record, { error: toErrorObject(accessDenied()) }, by)
  })
}

/**
 * Takes an approved flow to its grant without a window, or opens the sign-in window.
 *
 * @param waking The alarm for the deadline, which is being set.
 */
async function prepareFlow(record: FlowIn<'preparing'>, waking?: Promise<void>): Promise<void> {
  const writing = runTogether([flows.set(record.flowId, record), waking])
  const server = await findOperator(record.request.issuer)
  if (server && !record.silentFirst) {
    return openSignIn(record, () => findClient(record, server), writing)
  }
  await writing
  if (!server) throw operatorGone()
  const client = await findClient(record, server)
  if (!(await finishSilently(record, client))) await openSignIn(record, async () => client)
}

/** @returns `false` if a window may help. */
async function finishSilently(record: FlowIn<'preparing'>, client: FlowClient): Promise<boolean> {
  const { request, approval, flowId, origin } = record
  const { loginHint } = request
  const { apis } = approval
  const idToken = await needsIdToken(record)
  const silent = { ...client, origin, apis, loginHint, idToken, keyId: flowId }
  const authorized = await authorizeSilently(silent).catch((error) => {
    if (!windowMayHelp(error)) throw error
  })
  if (authorized) await finishFlow(record, authorized, approval, client.clientId)
  return authorized !== undefined
}

/** Handles a navigation to the broker's redirect URI. Only the sign-in tab of a flow counts. */
export function handleRedirect(tabId: number, url: string): Promise<void> {
  return handleArrival(tabId, () => receiveResponse(tabId, url))
}

async function receiveResponse(tabId: number, url: string): Promise<void> {
  const flowId = await findFlowOfTab(tabId)
  if (flowId === undefined) return
  windows.showWaitingPicture(flowId, tabId)
  await runFlowStep(flowId, async () => {
    const current = await flows.get(flowId)
    if (current?.status !== 'awaitingAuthorizationResponse' || current.tabId !== tabId) return
    const redeemable = receiveAuthorizationResponse(current.flow, url, Date.now())
    const { approval } = current
    const base = getFlowBase(current)
    const next = { ...base, status: 'redeemable' as const, approval, redeemable, tabId }
    await flows.set(flowId, next)
    // A window that closes keeps the browser from the requests: it closes once the page has its grant, or soon.
    const timer = setTimeout(windows.closeTab, SIGN_IN_CLOSE_DELAY_MS, tabId)
    try {
      await redeemFlow(next)
    } finally {
      clearTimeout(timer)
    }
  })
}

/** Sends the code once: the record says so before, and no worker sends it again. */
async function redeemFlow(record: FlowIn<'redeemable'>): Promise<void> {
  const { flowId, approval, redeemable, request, origin } = record
  const server = await findOperator(request.issuer)
  if (!server) throw operatorGone()
  const { clientId, metadata } = redeemable
  const owner = { issuer: request.issuer, origin, clientId }
  const [dpop, clientKey] = await runTogether([
    redeemable.binding === 'none' ? undefined : getKey(flowId),
    getClientKey(server, origin),
    flows.set(flowId, {
      ...getFlowBase(record),
      status: 'redeeming',
      approval,
      ...(record.tabId !== undefined && { tabId: record.tabId }),
    }),
  ])
  const tokens = await redeemCode(redeemable, createEffects(getServerOrigins(server)), {
    dpop,
    clientKey,
    onTokensRejected: (rejected) => revokeUnused(owner, flowId, { tokens: rejected, metadata }),
  }).catch(async (error) => {
    if (isDefiniteRefusal(error)) await giveUpServer(server, origin, { clientId, metadata }, error)
    throw error
  })
  await finishFlow(record, { tokens, metadata }, approval, clientId)
}

/**
 * Creates the grant and answers the page. The rest follows afterwards, since the grant does not depend
 * on it: superseded grants end, the revocation channel is connected, other pages get an event.
 */
async function finishFlow(
  record: FlowRecord,
  authorized: AuthorizationResult,
  approval: Approval,
  clientId: string,
): Promise<void> {
  const grant = await createGrant(record, authorized, approval, authorized.clientId ?? clientId)
  // Without the write the user is asked once more.
  if (approval.isWhole) await restoreWaiver(grant.issuer, grant.origin).catch(() => {})
  await settleFlow(record, { result: toPublicGrant(grant) })
  await endSupersededGrants(grant)
  await listenForRevocations()
  await sendGrantsChanged(record.origin)
}

/** Continues a flow that a stopped worker left, where that is safe. Otherwise the flow fails. */
async function resumeFlow(record: FlowRecord): Promise<void> {
  const fail = (error: Error) => settleFlow(record, { error: toErrorObject(error) })
  if (record.status !== 'settled' && Date.now() > record.deadlineMs) {
    return fail(timedOut(TOO_LATE))
  }
  switch (record.status) {
    case 'awaitingConsent': {
      const tabId = record.tabId ?? (await windows.waitForConsentTab(record.flowId))
      // The worker was stopped before it opened the window.
      if (tabId === undefined) return fail(interrupted())
      if (!(await windows.readTabState(tabId))) return fail(accessDenied())
      return flows.set(record.flowId, { ...record, tabId })
    }
    case 'preparing': {
      const { tabId: _, ...withoutTab } = record
      // The record forgets the tab first: the broker closes its window, and that is no denial of the user.
      await flows.set(record.flowId, withoutTab)
      await windows.closeBrokerTabs(record.flowId)
      return prepareFlow(withoutTab)
    }
    case 'awaitingAuthorizationResponse': {
      const tab = await windows.readTabState(record.tabId)
      if (!tab) return fail(accessDenied())
      if (tab.status === 'loading') void resumeWhenLoaded(record)
      // The worker was stopped after the response arrived: Chromium shows the blocked redirect URI, Firefox
      // the page before it. Or the worker was stopped before it sent the tab to the operator.
      const isStranded = tab.url?.startsWith(redirectBase) || windows.isAtWaitingPicture(tab)
      if (isStranded && !(await responseArrives(record.tabId))) return fail(interrupted())
      watchSignIn(record.flowId, record.tabId)
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

/** Resumes a flow as a step in its queue, if it is still in the state. */
function runResume(flowId: string, status?: FlowStatus): Promise<void> {
  return runFlowStep(flowId, async () => {
    const current = await flows.get(flowId)
    if (current && (status === undefined || current.status === status)) await resumeFlow(current)
  })
}

const flowsThatLoad = new Set<string>()

/**
 * Resumes a flow again once its window has loaded. The window may be on its way to the redirect URI, in a
 * navigation that began while no worker ran and of which no worker is notified.
 */
async function resumeWhenLoaded(record: FlowIn<'awaitingAuthorizationResponse'>): Promise<void> {
  const { flowId, tabId, deadlineMs, status } = record
  if (flowsThatLoad.has(flowId)) return
  flowsThatLoad.add(flowId)
  await windows.waitUntilLoaded(tabId, deadlineMs)
  flowsThatLoad.delete(flowId)
  await runResume(flowId, status)
}

/** The request id is the page's own text: the origin is part of the search. */
async function findFlowOfCall(origin: string, requestId: string): Promise<FlowRecord | undefined> {
  const records = await flows.all()
  return records.find((record) => record.requestId === requestId && record.origin === origin)
}

/** Resumes the flow that a call started. @returns Its outcome, or `undefined` without a flow. */
export async function resumeFlowOfCall(
  origin: string,
  requestId: string,
): Promise<Outcome | undefined> {
  const record = await findFlowOfCall(origin, requestId)
  if (!record) return undefined
  const { flowId } = record
  const outcome = waitForOutcome(flowId)
  await runResume(flowId)
  return outcome
}

/** Cancels the flow of a call that an earlier worker handled and the page has aborted. */
export async function cancelFlowOfCall(origin: string, requestId: string): Promise<void> {
  const record = await findFlowOfCall(origin, requestId)
  if (record) await cancelFlow(record.flowId)
}

/** The flow of an origin that has not ended, if there is one. */
export async function findPendingFlow(origin: string): Promise<FlowRecord | undefined> {
  const records = await flows.all()
  return records.find((record) => record.origin === origin && record.status !== 'settled')
}

/**
 * Cancels the flows that have not ended and that something concerns: their site or operator ended. A flow whose code
 * has been sent ends by itself: the promise waits for it.
 */
export async function cancelPendingFlows(
  isConcerned: (record: FlowRecord) => boolean,
): Promise<void> {
  const records = await flows.all()
  const pending = records.filter((record) => record.status !== 'settled' && isConcerned(record))
  await Promise.all(pending.map(({ flowId }) => cancelFlow(flowId)))
}

/** Cancels the flows whose window or page was in the tab. Only a closed window is a denial. */
export async function handleTabClosed(tabId: number): Promise<void> {
  for (const record of await flows.all()) {
    const isItsWindow = getFlowTab(record) === tabId
    // Calls of several tabs may share a renewal; it is cancelled when the last of them is aborted.
    const isItsPage = record.pageTabId === tabId && record.renews === undefined
    if (isItsWindow) await cancelFlow(record.flowId, 'user')
    else if (isItsPage) await cancelFlow(record.flowId)
  }
  await failOrphanedCalls()
  unwatchTab(tabId)
  forgetFlowOfTab(tabId)
  await forgetTab(tabId)
}

/** Fails the flows whose deadline has passed, and those whose window closed while no worker ran. */
export async function settleOverdueFlows(): Promise<void> {
  const steps = (await flows.all()).map(({ flowId }) =>
    runFlowStep(flowId, async () => {
      const record = await flows.get(flowId)
      if (!record) return
      const overdue = Date.now() > record.deadlineMs
      // There is one alarm for the whole extension: it may have fired for something that was due earlier.
      if (!overdue) await wakeAt(record.deadlineMs)
      if (record.status === 'settled' && overdue) return flows.delete(flowId)
      if (record.status !== 'settled') await resumeFlow(record)
    }),
  )
  await Promise.all(steps)
  await failOrphanedCalls()
}
