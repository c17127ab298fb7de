/**
 * One call to the broker, which may lose its worker at any moment. The same call, under the same id,
 * is asked again until it is answered: that wakes a stopped worker, which then finishes or fails what
 * it finds in its records, and it keeps a worker awake while the user is at a window.
 */

import type { Runtime } from 'webextension-polyfill'
import type { PageResponse, UnverifiedPageMessage } from '../../shared/messages/broker-channel.ts'

// Both browsers speak promises here; the polyfill would add 10 kB to every page.
declare const chrome: { runtime: Runtime.Static }
export const runtime = chrome.runtime

const ASK_AGAIN_MS = 20_000
const PAUSE_MS = 250
const ATTEMPTS_WITHOUT_ANSWER = 20

/** After an update or a removal the script lives on, but its runtime has no id any more. */
export function isBrokerGone(): boolean {
  return runtime?.id === undefined
}

function wait(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined))
}

function send(message: UnverifiedPageMessage): Promise<PageResponse | undefined> {
  return runtime.sendMessage(message)
}

/** The answer, or that it takes longer than a worker lives in silence. */
async function sendAndWait(
  message: UnverifiedPageMessage,
): Promise<PageResponse | undefined | 'stillWaiting'> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<'stillWaiting'>((resolve) => {
    timer = setTimeout(resolve, ASK_AGAIN_MS, 'stillWaiting')
  })
  try {
    return await Promise.race([send(message), late])
  } finally {
    clearTimeout(timer)
  }
}

/** The answer, `undefined` when the page gave the call up, or that there is no broker any more. */
export async function ask(
  method: string,
  params: unknown,
  signal: AbortSignal,
): Promise<PageResponse | undefined | 'brokerGone'> {
  const requestId = crypto.randomUUID()
  const userActivation = navigator.userActivation.isActive
  const visible = !document.hidden
  signal.addEventListener('abort', () => giveUp(requestId))

  let failures = 0
  for (let attempt = 0; !signal.aborted; attempt++) {
    if (isBrokerGone() || failures > ATTEMPTS_WITHOUT_ANSWER) return 'brokerGone'
    try {
      const response = await sendAndWait({
        type: 'pageRequest',
        requestId,
        attempt,
        method,
        params,
        userActivation,
        visible,
      })
      if (response === 'stillWaiting') failures = 0
      else if (response !== undefined && response !== null) return response
      else await wait(PAUSE_MS * ++failures)
    } catch {
      await wait(PAUSE_MS * ++failures)
    }
  }
  return undefined
}

function giveUp(requestId: string): void {
  if (isBrokerGone()) return
  send({ type: 'pageAbort', requestId }).catch(() => {})
}
