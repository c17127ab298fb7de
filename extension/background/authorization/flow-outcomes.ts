/**
 * Ends flows and delivers their outcomes: to the call that waits in this worker, or, after a restart of
 * the worker, to the call that the page sends again. A call that waits is answered and the windows of
 * its flow are closed, even if the record cannot be written.
 *
 * The steps of a flow run in a serial queue. A step that throws ends its flow with that error.
 */

import type { Outcome } from '../../../shared/messages/document-channel.ts'
import { ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { deleteKey } from '../clients/keys.ts'
import { withdrawWaiver } from '../grants/withdrawn-waivers.ts'
import { forgetMetadata } from '../operators/metadata-cache.ts'
import { interrupted, toErrorObject } from '../platform/broker-error.ts'
import { createKeyedSerialQueue } from '../platform/serial-queue.ts'
import { recordDenial } from './denial-cooldown.ts'
import { type FlowRecord, flows, getFlowBase, getFlowTab } from './flow-records.ts'
import * as windows from './windows.ts'

interface Waiter {
  promise: Promise<Outcome>
  resolve(outcome: Outcome): void
}

const waiters = new Map<string, Waiter>()

/** Runs the steps of each flow one after the other. */
export const runInFlowQueue = createKeyedSerialQueue()

/** The outcome of a flow, once it has one. */
export function waitForOutcome(flowId: string): Promise<Outcome> {
  const waiter = waiters.get(flowId)
  if (waiter) return waiter.promise
  let resolve: Waiter['resolve'] = () => {}
  const promise = new Promise<Outcome>((resolvePromise) => {
    resolve = resolvePromise
  })
  waiters.set(flowId, { promise, resolve })
  return promise
}

/** Answers the call of the flow, if it waits in this worker. */
function answerCall(flowId: string, outcome: Outcome): void {
  waiters.get(flowId)?.resolve(outcome)
  waiters.delete(flowId)
}

const isAccessDenied = (outcome: Outcome) =>
  'error' in outcome && outcome.error.code === ERROR_CODE.accessDenied

/**
 * Ends a flow with its outcome. The record is deleted if a call waits in this worker; otherwise it
 * keeps the outcome until the page sends its call again.
 *
 * @param by Who ended the flow. Only an end by the user counts as a denial.
 */
export async function settleFlow(
  record: FlowRecord,
  outcome: Outcome,
  by: 'user' | 'page' = 'user',
): Promise<void> {
  const { flowId } = record
  if (by === 'user' && record.status !== 'settled' && isAccessDenied(outcome)) {
    const { origin, request } = record
    await recordDenial(origin, request.issuer).catch(() => {})
    await withdrawWaiver({ origin, issuer: request.issuer }).catch(() => {})
  }
  try {
    if ('error' in outcome && record.status !== 'settled') {
      await deleteKey(flowId)
      // The operator may have moved: the next flow asks for its metadata.
      await forgetMetadata(record.request.issuer).catch(() => {})
    }
    if (waiters.has(flowId)) {
      const deleting = flows.delete(flowId)
      // Whoever reads the records after the answer reads them after the deletion: transactions keep their order.
      if ('result' in outcome) answerCall(flowId, outcome)
      await deleting
    } else await flows.set(flowId, { ...getFlowBase(record), status: 'settled', outcome })
  } finally {
    // A record that cannot be written must not leave a call without an answer, or a window open.
    answerCall(flowId, outcome)
    await windows.closeTab(getFlowTab(record))
    await windows.closeBrokerTabs(flowId)
  }
}

/** Runs a step in the queue of its flow. An error of the step is the outcome of the flow. */
export function runFlowStep(flowId: string, run: () => Promise<void>): Promise<void> {
  return runInFlowQueue(flowId, async () => {
    try {
      await run()
    } catch (error) {
      const outcome = { error: toErrorObject(error) }
      const record = await flows.get(flowId).catch(() => undefined)
      if (!record) answerCall(flowId, outcome)
      else if (record.status !== 'settled') await settleFlow(record, outcome)
    }
  })
}

/** Answers the calls whose flow has no record any more, because the user cleared the database. */
export async function failOrphanedCalls(): Promise<void> {
  for (const flowId of [...waiters.keys()]) {
    await runInFlowQueue(flowId, async () => {
      if (await flows.get(flowId)) return
      answerCall(flowId, { error: toErrorObject(interrupted()) })
      await windows.closeBrokerTabs(flowId)
    })
  }
}
