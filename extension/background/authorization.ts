/**
 * A flow from the page's wish to the grant: consent, sign-in, redirect, code exchange. Every step reads
 * its record, writes the next one, and only then acts; `resume` takes up whatever a stopped worker left.
 */

import browser from 'webextension-polyfill'
import {
  beginAuthorization,
  discover,
  receiveAuthorizationResponse,
  redeemCode,
  redirectUriFor,
} from '../../shared/core/index.ts'
import type { Outcome } from '../../shared/messages/document-channel.ts'
import { effects } from './effects.ts'
import { announceGrants } from './events.ts'
import { type Approval, baseOf, type FlowIn, type FlowRecord, flows, tabOf } from './flows.ts'
import { currentSession, expiryOf, grantOf, publicGrant, saveGrant } from './grants.ts'
import { findOperator } from './operators.ts'
import { accessDenied, interrupted, noGrant, timedOut, toErrorObject } from './refusal.ts'
import { subjectHandle } from './subject.ts'
import { tokenStore, toStoredToken } from './tokens.ts'
import * as windows from './windows.ts'

/** How long a user may take, from the page's call to the last redirect. */
export const FLOW_TIME_MS = 10 * 60_000

const waiting = new Map<string, PromiseWithResolvers<Outcome>>()
const busy = new Map<string, Promise<void>>()

interface PromiseWithResolvers<T> {
  promise: Promise<T>
  resolve(value: T): void
}

function deferred<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

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

async function settle(record: FlowRecord, outcome: Outcome): Promise<void> {
  const waiter = waiting.get(record.flowId)
  waiting.delete(record.flowId)
  if (waiter) await flows.delete(record.flowId)
  else await flows.set(record.flowId, { ...baseOf(record), status: 'settled', outcome })
  waiter?.resolve(outcome)
  await windows.close(tabOf(record))
}

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
export async function startFlow(
  record: FlowIn<'awaitingConsent'>,
  consent: Approval | 'ask',
): Promise<Outcome> {
  const outcome = waitFor(record.flowId)
  await inTurn(record.flowId, () =>
    attempt(record.flowId, async () => {
      if (consent !== 'ask')
        return prepare({ ...baseOf(record), status: 'preparing', approval: consent })
      await flows.set(record.flowId, record)
      const tabId = await windows.openConsent(record.flowId)
      await flows.set(record.flowId, { ...record, tabId })
    }),
  )
  return outcome
}

function waitFor(flowId: string): Promise<Outcome> {
  const waiter = waiting.get(flowId) ?? deferred<Outcome>()
  waiting.set(flowId, waiter)
  return waiter.promise
}

/** The user approved in the broker's own window. */
export function approve(flowId: string, approval: Approval): Promise<void> {
  return inTurn(flowId, () =>
    attempt(flowId, async () => {
      const record = await flows.get(flowId)
      if (record?.status !== 'awaitingConsent') return
      await prepare({ ...baseOf(record), status: 'preparing', approval })
      await windows.close(record.tabId)
    }),
  )
}

/** The user refused, the window was closed, or the page gave up. */
export function cancel(flowId: string): Promise<void> {
  return inTurn(flowId, async () => {
    const record = await flows.get(flowId)
    if (!record || record.status === 'settled' || record.status === 'redeeming') return
    await settle(record, { error: toErrorObject(accessDenied()) })
  })
}

async function prepare(record: FlowIn<'preparing'>): Promise<void> {
  await flows.set(record.flowId, record)
  const { request, approval, deadlineMs, flowId } = record
  const server = await findOperator(request.issuer)
  if (!server) throw noGrant()
  const { flow, authorizationUrl } = await beginAuthorization(
    {
      server,
      metadata: await discover(server, effects()),
      clientId: request.clientId,
      redirectUri: await redirectUriFor(browser.identity.getRedirectURL(), request.issuer),
      apis: approval.apis,
      deadlineMs,
      offlineAccess: true,
      ...(request.loginHint ? { loginHint: request.loginHint } : {}),
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
  const set = await redeemCode(redeemable, effects())
  const [first] = approval.apis
  if (!first) throw noGrant()
  await tokenStore.set(flowId, {
    grantId: flowId,
    metadata: redeemable.metadata,
    tokens: { [first.resource]: toStoredToken(set) },
    scope: set.scope,
    ...(set.idTokenClaims ? { idTokenClaims: set.idTokenClaims } : {}),
    ...(set.refreshToken ? { refreshToken: set.refreshToken } : {}),
  })
  const now = Date.now()
  const grant = {
    grantId: flowId,
    origin,
    issuer: request.issuer,
    clientId: request.clientId,
    applicationName: record.applicationName,
    operatorName: record.operatorName,
    mode: request.mode,
    apis: approval.apis,
    subject: await subjectHandle(request.issuer, set.subject ?? flowId, origin),
    tokenType: set.tokenType,
    lifetime: approval.lifetime,
    session: await currentSession(),
    createdAt: now,
    expiresAt: expiryOf(approval.lifetime, now),
  }
  await saveGrant(grant)
  await announceGrants(origin)
  await settle(record, { result: publicGrant(grant) })
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
      if (tab.url?.startsWith(browser.identity.getRedirectURL())) return fail(interrupted())
      return
    }
    case 'redeemable':
      return redeem(record)
    case 'redeeming': {
      const grant = await grantOf(record.origin, record.flowId).catch(() => undefined)
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
    if (isItsWindow || record.pageTabId === tabId) await cancel(record.flowId)
  }
}
