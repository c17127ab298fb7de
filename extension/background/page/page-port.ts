/**
 * The port of one document, over which its page asks. Whose it is, the browser said when the port was
 * opened; a document keeps its origin, so one look is enough for all calls.
 */

import browser, { type Runtime } from 'webextension-polyfill'
import type {
  BrokerAnswer,
  UnverifiedPageMessage,
} from '../../../shared/messages/broker-channel.ts'
import { createBatch } from '../../../shared/messages/message-batch.ts'
import { decodeRequest } from '../../../shared/messages/request-deduplication.ts'
import type { Caller } from '../methods/page-call.ts'
import { toErrorObject } from '../platform/broker-error.ts'
import { givenAgain } from '../tokens/access-token-cache.ts'
import { abortPageRequest, handlePageRequest } from './page-router.ts'
import { verifyPageSender } from './sender.ts'

const HERE: BrokerAnswer = { id: 0 }

function callerOf({ sender }: Runtime.Port): Caller {
  return verifyPageSender(sender ?? {}, browser.runtime.id, __DEVELOPMENT__)
}

/** A document that has gone away hears nothing, and needs nothing. */
function send(port: Runtime.Port, answers: BrokerAnswer[]): void {
  try {
    port.postMessage(answers)
  } catch (error) {
    // The port is closed, or they are too large together: they go one by one.
    if (answers.length > 1) throw error
  }
}

/** Listens to a document; one that may not ask hears why, and may come again as something else. */
export function servePage(port: Runtime.Port): void {
  const tell = createBatch<BrokerAnswer>((answers) => send(port, answers), queueMicrotask)
  let caller: Caller
  try {
    caller = callerOf(port)
  } catch (error) {
    port.onMessage.addListener((messages) => {
      for (const { id } of messages as UnverifiedPageMessage[]) {
        tell({ id, error: toErrorObject(error) })
      }
      // What was sent together is refused together.
      setTimeout(() => port.disconnect())
    })
    return
  }
  const open = new Set<string>()

  /** What can be said at once. */
  function hear(message: UnverifiedPageMessage): BrokerAnswer | undefined {
    const { id } = message
    // A page that speaks without its provider may send anything.
    if (typeof id !== 'number') return undefined
    if (message.isOver) abortPageRequest(caller, port.name + id)
    // One that says nothing else has reset the clock by which the browser stops a worker.
    if (typeof message.method !== 'string') return message.isOver ? undefined : HERE
    if (typeof (message.key ?? '') !== 'string') return undefined
    const again = givenAgain(caller.origin, message)
    if (again) return { id, result: again }
    // The same for every worker that takes the call up.
    const requestId = port.name + id
    open.add(requestId)
    const deliver = (part: ArrayBuffer) => tell({ id, part })
    void handlePageRequest(caller, requestId, decodeRequest(message), deliver).then((ended) => {
      open.delete(requestId)
      tell({ id, ...ended })
    })
    return undefined
  }

  port.onMessage.addListener((messages) => {
    const known: BrokerAnswer[] = []
    for (const message of messages as UnverifiedPageMessage[]) {
      const answer = hear(message)
      if (answer) known.push(answer)
    }
    // One, by far the most often, does not wait for the end of the turn.
    for (const answer of known) tell(answer, known.length === 1)
  })
  send(port, [HERE])
  // A document that goes away takes its open calls along: their windows close.
  port.onDisconnect.addListener(() => {
    for (const requestId of open) abortPageRequest(caller, requestId)
  })
}
