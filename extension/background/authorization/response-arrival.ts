/**
 * Knows the tabs whose authorization response has arrived, and waits for a response that is on its way. The
 * browser delivers a response that wakes a worker after the call that the page sends again (Firefox: 5 to 20 ms
 * later). In between, the tab looks like a tab whose response was lost.
 */

import { RESPONSE_ARRIVAL_TIMEOUT_MS } from '../../limits.ts'

/** Tabs whose response is handled, or waits in the queue of its flow. */
const respondedTabs = new Set<number>()
/** Fires an event with the id of a tab as its type when a response arrives in the tab. */
const arrivals = new EventTarget()

/** Marks a tab as responded while its response is handled. */
export async function handleArrival(tabId: number, handle: () => Promise<void>): Promise<void> {
  respondedTabs.add(tabId)
  arrivals.dispatchEvent(new Event(String(tabId)))
  try {
    await handle()
  } finally {
    respondedTabs.delete(tabId)
  }
}

/** Waits for the response in a tab. @returns `false` if none arrives within the time limit. */
export async function responseArrives(tabId: number): Promise<boolean> {
  if (respondedTabs.has(tabId)) return true
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(RESPONSE_ARRIVAL_TIMEOUT_MS)
    arrivals.addEventListener(String(tabId), () => resolve(true), { once: true, signal })
    signal.addEventListener('abort', () => resolve(false))
  })
}
