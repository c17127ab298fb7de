/**
 * A flow from the page's wish to the grant: consent, sign-in, redirect, code exchange. Every step reads
 * its record, writes the next one, and only then acts; `resume` takes up whatever a stopped worker left.
 */

import {
  beginAuthorization,
  discover,
  grantedApis,
  receiveAuthorizationResponse,
  redeemCode,
} from '../../shared/core/index.ts'
import type { Outcome } from '../../shared/messages/document-channel.ts'
import { ERROR_CODE } from '../../shared/messages/page-api.ts'
import { clientKeyOf, redirectUriOf, usableClientId } from './clients.ts'
import { flowKey } from './dpop.ts'
import { effects } from './effects.ts'
import { announceGrants } from './events.ts'
import {
  type Approval,
  baseOf,
  type FlowBase,
  type FlowIn,
  type FlowRecord,
  flows,
  tabOf,
} from './flows.ts'
import {
  covers,
  currentSession,
  deleteGrant,
  expiryOf,
  type GrantRecord,
  grantOf,
  grantsOf,
  publicGrant,
  saveGrant,
} from './grants.ts'
import { wakeAt } from './housekeeping-alarm.ts'
import { deleteKey, keyOf } from './keys.ts'
import { log } from './log.ts'
import { listen, openChannel } from './notifications.ts'
import { findOperator } from './operators.ts'
import { redirectBase } from './redirect-base.ts'
import { accessDenied, interrupted, noGrant, Refusal, timedOut, toErrorObject } from './refusal.ts'
import { forgetRefusals, rememberRefusal } from './refusals-remembered.ts'
import { type Authorized, authorizeSilently, needsInteraction } from './silent.ts'
import { subjectHandle } from './subject.ts'
import { endTokens, isSameSubject, keepTokens } from './tokens.ts'
import * as windows from './windows.ts'

/** How long a user may take, from the page's call to the last redirect. */
export const FLOW_TIME_MS = 10 * 60_000

interface Waiter {
  promise: Promise<Outcome>
  resolve(outcome: Outcome): void
}

const waiting = new Map<string, Waiter>()
const busy = new Map<string, Promise<void>>()

/** Steps of one flow run one after the other. */
function inTurn(flowId: string, step: () => Promise<void>): Promise<void> {
  const turn = (busy.get(flowId) ?? Promise.resolve()).then(step)
  const settled = turn.catch(() => {})
  busy.set(flowId, settled)
  void settled.then(() => {
    if (busy.get(flowId) === settled) busy.delete(flowId)
  })
  return turn
}

async function settle(
  record: FlowRecord,
  outcome: Outcome,
  by: 'user' | 'page' = 'user',
): Promise<void> {
  if (by === 'user' && record.status !== 'settled' && isAccessDenied(outcome)) {
    await rememberRefusal(record.origin, record.request.issuer).catch(() => {})
  }
  if ('error' in outcome && record.status !== 'settled') await deleteKey(record.flowId)
  const waiter = waiting.get(record.flowId)
  waiting.delete(record.flowId)
  if (waiter) await flows.delete(record.flowId)
  else await flows.set(record.flowId, { ...baseOf(record), status: 'settled', outcome })
  waiter?.resolve(outcome)
  await windows.close(tabOf(record))
}

const isAccessDenied = (outcome: Outcome) =>
  'error' in outcome && outcome.error.code === ERROR_CODE.accessDenied

/** Runs a step; what it throws is the flow's outcome. */
async function attempt(flowId: string, step: () => Promise<void>): Promise<void> {
  try {
    await step()
  } catch (error) {
    const record = await flows.get(flowId)
    if (record && record.status !== 'settled') await settle(record, { error: toErrorObject(error) })
  }
}

/** The record is written before the window opens. */
export async function startFlow(base: FlowBase, consent: Approval | 'ask'): Promise<Outcome> {
  const outcome = waitFor(base.flowId)
  await wakeAt(base.deadlineMs)
  await inTurn(base.flowId, () =>
    attempt(base.flowId, async () => {
      if (consent !== 'ask') {
        return prepare({ ...base, status: 'preparing', approval: consent })
      }
      await flows.set(base.flowId, { ...base, status: 'awaitingConsent' })
      const tabId = await windows.openConsent(base.flowId)
      await flows.set(base.flowId, { ...base, status: 'awaitingConsent', tabId })
    }),
  )
  return outcome
}

function waitFor(flowId: string): Promise<Outcome> {
  const known = waiting.get(flowId)
  if (known) return known.promise
  let resolve: Waiter['resolve'] = () => {}
  const promise = new Promise<Outcome>((settled) => {
    resolve = settled
  })
  waiting.set(flowId, { promise, resolve })
  return promise
}

/** The user approved in the broker's own window. */
export function approve(flowId: string, approval: Approval): Promise<void> {
  return inTurn(flowId, () =>
    attempt(flowId, async () => {
      const record = await flows.get(flowId)
      if (record?.status !== 'awaitingConsent') return
      await forgetRefusals(record.origin, record.request.issuer)
      await prepare({ ...baseOf(record), status: 'preparing', approval })
      await windows.close(record.tabId)
    }),
  )
}

/** The user refused or closed the window; or the page gave up, which is no refusal of the user's. */
export function cancel(flowId: string, by: 'user' | 'page' = 'page'): Promise<void> {
  return inTurn(flowId, async () => {
    const record = await flows.get(flowId)
    if (!record || record.status === 'settled' || record.status === 'redeeming') return
    await settle(record, { error: toErrorObject(accessDenied()) }, by)
  })
}

async function prepare(record: FlowIn<'preparing'>): Promise<void> {
  await flows.set(record.flowId, record)
  const { request, approval, deadlineMs, flowId, origin } = record
  const { loginHint, acrValues, maxAge } = request
  const server = await findOperator(request.issuer)
  if (!server) throw noGrant()
  const metadata = await discover(server, effects())
  const clientId = await usableClientId(server, metadata, origin, request.clientId)
  await openChannel(server, clientId, approval.apis)
  if (record.silentFirst) {
    try {
      const { apis } = approval
      const silent = { server, metadata, origin, clientId, apis, keyId: flowId }
      return await finish(record, await authorizeSilently(silent), approval, clientId)
    } catch (error) {
      if (!needsInteraction(error)) throw error
    }
  }
  const { flow, authorizationUrl } = await beginAuthorization(
    {
      server,
      metadata,
      clientId,
      redirectUri: await redirectUriOf(request.issuer),
      apis: approval.apis,
      deadlineMs,
      offlineAccess: true,
      loginHint,
      acrValues,
      maxAge,
      dpop: await flowKey(server, metadata, flowId),
      clientKey: await clientKeyOf(server, origin),
    },
    effects(),
  )
  const tabId = await windows.openSignIn()
  await flows.set(flowId, {
    ...baseOf(record),
    status: 'awaitingAuthorizationResponse',
    approval,
    flow,
    tabId,
  })
  await windows.navigate(tabId, authorizationUrl)
}

/** A navigation to the broker's redirect URI, in whatever tab. Only the flow's own tab counts. */
export async function redirectReceived(tabId: number, url: string): Promise<void> {
  const record = (await flows.all()).find((candidate) => tabOf(candidate) === tabId)
  if (!record) return
  await inTurn(record.flowId, () =>
    attempt(record.flowId, async () => {
      const current = await flows.get(record.flowId)
      if (current?.status !== 'awaitingAuthorizationResponse' || current.tabId !== tabId) return
      const redeemable = receiveAuthorizationResponse(current.flow, url, Date.now())
      const { approval } = current
      const next = { ...baseOf(current), status: 'redeemable' as const, approval, redeemable }
      await flows.set(current.flowId, next)
      void windows.close(tabId)
      await redeem(next)
    }),
  )
}

async function redeem(record: FlowIn<'redeemable'>): Promise<void> {
  const { flowId, approval, redeemable, request, origin } = record
  await flows.set(flowId, { ...baseOf(record), status: 'redeeming', approval })
  const server = await findOperator(request.issuer)
  if (!server) throw noGrant()
  const tokens = await redeemCode(redeemable, effects(), {
    dpop: await keyOf(flowId),
    clientKey: await clientKeyOf(server, origin),
  })
  const authorized = { tokens, metadata: redeemable.metadata }
  await finish(record, authorized, approval, redeemable.clientId)
}

/** Tokens first, then the grant, then the answer to the page. */
async function finish(
  record: FlowRecord,
  authorized: Authorized,
  approval: Approval,
  clientId: string,
): Promise<void> {
  const { flowId, origin, renews } = record
  if (renews !== undefined && !(await isSameSubject(renews, authorized))) {
    throw new Refusal(
      ERROR_CODE.untrustedResponse,
      'invalid_response',
      'another subscriber signed in at the operator',
    )
  }
  const server = await findOperator(record.request.issuer)
  if (!server) throw noGrant()
  const apis = grantedApis(server, approval.apis, authorized.tokens.scope)
  const [first] = apis
  if (!first) throw accessDenied()
  const grantId = renews ?? flowId
  await keepTokens(grantId, flowId, first.resource, authorized)
  const grant = renews
    ? { ...(await grantOf(origin, renews)), apis }
    : await newGrant(record, authorized, { ...approval, apis }, clientId)
  await saveGrant(grant)
  log.record('grant', renews ? 'renewed with the user' : 'granted', grant)
  for (const earlier of await supersededBy(grant)) {
    await deleteGrant(earlier)
    await endTokens(earlier)
  }
  await listen()
  await announceGrants(origin)
  await settle(record, { result: publicGrant(grant) })
}

async function newGrant(
  { flowId, origin, request, applicationName, operatorName }: FlowRecord,
  { tokens }: Authorized,
  { apis, lifetime }: Approval,
  clientId: string,
): Promise<GrantRecord> {
  const createdAt = Date.now()
  return {
    grantId: flowId,
    origin,
    issuer: request.issuer,
    clientId,
    applicationName,
    operatorName,
    mode: request.mode,
    apis,
    subject: await subjectHandle(request.issuer, tokens.subject ?? flowId, origin),
    tokenType: tokens.tokenType,
    lifetime,
    session: await currentSession(),
    createdAt,
    expiresAt: expiryOf(lifetime, createdAt),
  }
}

/** Grants of the same application that the new one makes superfluous. */
async function supersededBy(grant: GrantRecord): Promise<GrantRecord[]> {
  return (await grantsOf(grant.origin)).filter(
    (other) =>
      other.grantId !== grant.grantId &&
      other.issuer === grant.issuer &&
      other.clientId === grant.clientId &&
      other.mode === grant.mode &&
      other.apis.every((api) => covers(grant.apis, api)),
  )
}

/** What a stopped worker left of this flow is finished where that is safe, and failed where it is not. */
async function resume(record: FlowRecord): Promise<void> {
  const fail = (error: Error) => settle(record, { error: toErrorObject(error) })
  if (record.status !== 'settled' && Date.now() > record.deadlineMs) {
    return fail(timedOut('the user did not finish in time'))
  }
  switch (record.status) {
    case 'awaitingConsent': {
      if (record.tabId === undefined || !(await windows.showing(record.tabId))) {
        return fail(accessDenied())
      }
      return
    }
    case 'preparing':
      return prepare(record)
    case 'awaitingAuthorizationResponse': {
      const tab = await windows.showing(record.tabId)
      if (!tab) return fail(accessDenied())
      // The worker died with the response in its hands: the tab stands at the blocked redirect URI.
      if (tab.url?.startsWith(redirectBase)) return fail(interrupted())
      return
    }
    case 'redeemable':
      return redeem(record)
    case 'redeeming': {
      const grantId = record.renews ?? record.flowId
      const grant = await grantOf(record.origin, grantId).catch(() => undefined)
      if (grant) return settle(record, { result: publicGrant(grant) })
      return fail(interrupted())
    }
    case 'settled':
      return settle(record, record.outcome)
  }
}

/** Takes up the flow that a call of the page started, if there is one. */
export async function outcomeOf(requestId: string): Promise<Outcome | undefined> {
  const record = (await flows.all()).find((candidate) => candidate.requestId === requestId)
  if (!record) return undefined
  const outcome = waitFor(record.flowId)
  await inTurn(record.flowId, () =>
    attempt(record.flowId, async () => {
      const current = await flows.get(record.flowId)
      if (current) await resume(current)
    }),
  )
  return outcome
}

/** The pending flow of an origin, if the user is at one of its windows. */
export async function pendingOf(origin: string): Promise<FlowRecord | undefined> {
  const records = await flows.all()
  return records.find((record) => record.origin === origin && record.status !== 'settled')
}

export async function tabClosed(tabId: number): Promise<void> {
  for (const record of await flows.all()) {
    const isItsWindow = tabOf(record) === tabId
    if (isItsWindow) await cancel(record.flowId, 'user')
    else if (record.pageTabId === tabId) await cancel(record.flowId)
  }
}

/** Fails the flows whose time is over, and those whose window went unseen. */
export async function settleOverdue(): Promise<void> {
  for (const { flowId } of await flows.all()) {
    await inTurn(flowId, () =>
      attempt(flowId, async () => {
        const record = await flows.get(flowId)
        if (!record) return
        const overdue = Date.now() > record.deadlineMs
        // The alarm that rang may have been another's.
        if (!overdue) await wakeAt(record.deadlineMs)
        if (record.status === 'settled' && overdue) await flows.delete(flowId)
        else if (record.status !== 'settled') await resume(record)
      }),
    )
  }
}
