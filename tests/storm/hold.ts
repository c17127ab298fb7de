/** Waits for a request that a fault holds at its server, by the log of the network. */

import type { FaultRule, Network } from '../../demo-site/network/index.ts'
import type { Moment } from './plan.ts'

type RequestMoment = Extract<Moment, { at: 'request' }>

export const createHold = ({ server, path, nth, before }: RequestMoment): FaultRule => ({
  server,
  path,
  nth,
  action: { type: 'hold', before },
})

/** @returns Whether the request is held; `false` once the signal aborts. */
export async function waitUntilHeld(
  { log, faults }: Network,
  hold: string,
  signal: AbortSignal,
): Promise<boolean> {
  const isHeld = () => faults.find(hold)?.applied === 1
  // The log grows by the held request before the fault counts it.
  let afterId = Math.max(0, log.lastId - 1)
  while (!isHeld()) {
    try {
      const { id } = await log.waitFor(
        {},
        { until: 'arrived', afterId, signal, timeoutMs: NEVER_MS },
      )
      afterId = id
      await new Promise(setImmediate)
    } catch {
      return isHeld()
    }
  }
  return true
}

/** Longer than any flow, which ends the wait by the signal. */
const NEVER_MS = 600_000
