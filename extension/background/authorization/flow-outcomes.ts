/**
 * How a flow ends, and who hears of it: the call that waits in this worker's life, or whoever asks
 * again. Whatever happens to the record, a call that waits is answered and the windows go.
 */

import type { Outcome } from '../../../shared/messages/document-channel.ts'
import { ERROR_CODE } from '../../../shared/messages/page-api.ts'
import { deleteKey } from '../clients/keys.ts'
import { interrupted, toErrorObject } from '../platform/broker-error.ts'
import { createKeyedSerialQueue } from '../platform/serial-queue.ts'
import { recordDenial } from './denial-cooldown.ts'
import { baseOf, type FlowRecord, flows, tabOf } from './flow-records.ts'
import * as windows from './windows.ts'

interface Waiter {
  promise: Promise<Outcome>
  resolve(outcome: Outcome): void
}

const waiters = new Map<string, Waiter>()

/** Steps of one flow run one after the other. */
export const runInFlowQueue = createKeyedSerialQueue()

/** The outcome of a flow, once it has one. */
export function waitForOutcome(flowId: string): Promise<Outcome> {
  const known = waiters.get(flowId)
  if (known) return known.promise
  let resolve: Waiter['resolve'] = () => {}
  const promise = new Promise<Outcome>((settled) => {
    resolve = settled
  })
  waiters.set(flowId, { promise, resolve })
  return promise
}

/** Tells the page, if it waits in this worker's life. */
function answerCall(flowId: string, outcome: Outcome): void {
  waiters.get(flowId)?.resolve(outcome)
  waiters.delete(flowId)
}

const isAccessDenied = (outcome: Outcome) =>
  'error' in outcome && outcome.error.code === ERROR_CODE.accessDenied

/** @param by Who ended it, if it was refused: what the page gives up is no refusal of the user's. */
export async function settleFlow(
  record: FlowRecord,
  outcome: Outcome,
  by: 'user' | 'page' = 'user',
): Promise<void> {
  const { flowId } = record
  if (by === 'user' && record.status !== 'settled' && isAccessDenied(outcome)) {
    await recordDenial(record.origin, record.request.issuer).catch(() => {})
  }
  try {
    if ('error' in outcome && record.status !== 'settled') await deleteKey(flowId)
    if (waiters.has(flowId)) await flows.delete(flowId)
    else await flows.set(flowId, { ...baseOf(record), status: 'settled', outcome })
  } finally {
    // Whatever the disk says, the page hears of it and the window goes.
    answerCall(flowId, outcome)
    await windows.closeTab(tabOf(record))
    await windows.closeBrokerTabs(flowId)
  }
}

/** Runs a step in turn; what it throws is the flow's outcome. */
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

/** Answers the calls whose flow has no record any more: the database was cleared. */
export async function failOrphanedCalls(): Promise<void> {
  for (const flowId of [...waiters.keys()]) {
    await runInFlowQueue(flowId, async () => {
      if (await flows.get(flowId)) return
      answerCall(flowId, { error: toErrorObject(interrupted()) })
      await windows.closeBrokerTabs(flowId)
    })
  }
}
