/**
 * The port of one document, over which its page asks. Whose it is, the browser said when the port was
 * opened; a document keeps its origin, so one look is enough for all calls.
 */

import browser, { type Runtime } from 'webextension-polyfill'
import type { BrokerAnswer, UnverifiedPageMessage } from '../../shared/messages/broker-channel.ts'
import { abortPageRequest, handlePageRequest } from './page-router.ts'
import { toErrorObject } from './refusal.ts'
import { type Caller, verifyPageSender } from './sender.ts'

function callerOf({ sender }: Runtime.Port): Caller {
  return verifyPageSender(sender ?? {}, browser.runtime.id, __DEVELOPMENT__)
}

/** Tells a document what became of its call. One that has gone away hears nothing, and needs nothing. */
function tell(port: Runtime.Port, answer: BrokerAnswer): void {
  try {
    port.postMessage(answer)
  } catch {
    // The port is closed.
  }
}

/** Listens to a document; one that may not ask hears why, and may come again as something else. */
export function servePage(port: Runtime.Port): void {
  let caller: Caller
  try {
    caller = callerOf(port)
  } catch (error) {
    port.onMessage.addListener((message) => {
      const { requestId } = message as UnverifiedPageMessage
      tell(port, { requestId, outcome: { error: toErrorObject(error) } })
      // What was sent together is refused together.
      setTimeout(() => port.disconnect())
    })
    return
  }
  const open = new Set<string>()
  port.onMessage.addListener((received) => {
    const message = received as UnverifiedPageMessage
    const { requestId } = message
    if (message.type === 'pageAbort') return abortPageRequest(caller, requestId)
    // It has reset the clock by which the browser stops a worker.
    if (message.type === 'pageWaits') return
    open.add(requestId)
    const deliver = (part: ArrayBuffer) => tell(port, { requestId, part })
    void handlePageRequest(caller, message, deliver).then((told) => {
      open.delete(requestId)
      tell(port, { requestId, ...told })
    })
  })
  // A document that goes away takes its open calls along: their windows close.
  port.onDisconnect.addListener(() => {
    for (const requestId of open) abortPageRequest(caller, requestId)
  })
}
