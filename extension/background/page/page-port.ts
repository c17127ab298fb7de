/**
 * Serves the port of a document: verifies the sender, decodes each batch of messages from its page, and
 * sends the answers back in batches. The browser names the sender of a port when the port opens. A
 * document keeps its origin as long as it lives, so the sender is verified once.
 *
 * A keep-alive is answered with `BrokerReady`. It has a second effect: it resets the timer by which the
 * browser stops an idle worker.
 *
 * Border: this file knows no method. `page-router.ts` looks into the cache, checks and dispatches each
 * call.
 */

import browser, { type Runtime } from 'webextension-polyfill'
import type {
  BrokerAnswer,
  UnverifiedPageMessage,
} from '../../../shared/messages/broker-channel.ts'
import { createBatch } from '../../../shared/messages/message-batch.ts'
import type { Caller } from '../methods/page-call.ts'
import { toErrorObject } from '../platform/broker-error.ts'
import { abortPageRequest, handlePageRequest } from './page-router.ts'
import { verifyPageSender } from './sender.ts'

/** Tells the document that the broker runs: over a new port, and in answer to a keep-alive. */
const BROKER_READY: BrokerAnswer = { id: 0 }

function verifyCaller({ sender }: Runtime.Port): Caller {
  return verifyPageSender(sender ?? {}, browser.runtime.id, __DEVELOPMENT__)
}

/**
 * Sends a batch of answers. The port of an unloaded document is closed, and its answers are dropped.
 */
function sendBatch(port: Runtime.Port, answers: BrokerAnswer[]): void {
  try {
    port.postMessage(answers)
  } catch (error) {
    // The port is closed, or the batch is too large. `createBatch` then sends each answer by itself.
    if (answers.length > 1) throw error
  }
}

/**
 * Answers each request of a document that may not call with the reason, then closes the port, so that
 * the document can connect again once it is active.
 */
function rejectDocument(
  port: Runtime.Port,
  queueAnswer: (answer: BrokerAnswer) => void,
  error: unknown,
): void {
  port.onMessage.addListener((messages) => {
    for (const { id } of messages as UnverifiedPageMessage[]) {
      queueAnswer({ id, error: toErrorObject(error) })
    }
    // The batch of these answers is sent before the next task.
    setTimeout(() => port.disconnect())
  })
}

/** Serves the port of a document until the document closes it. */
export function servePage(port: Runtime.Port): void {
  const queueAnswer = createBatch<BrokerAnswer>(
    (answers) => sendBatch(port, answers),
    queueMicrotask,
  )
  let caller: Caller
  try {
    caller = verifyCaller(port)
  } catch (error) {
    rejectDocument(port, queueAnswer, error)
    return
  }
  const openRequests = new Set<string>()

  /** Handles a message. @returns The answer, if it is ready in the same task. */
  function handleMessage(message: UnverifiedPageMessage): BrokerAnswer | undefined {
    const { id } = message
    // A page that bypasses the provider may send any value.
    if (typeof id !== 'number') return undefined
    // The id of a call stays the same when the call is sent again to a new worker.
    const requestId = port.name + id
    if (message.isOver) abortPageRequest(caller, requestId)
    // A message without a method is an abort or a keep-alive.
    if (typeof message.method !== 'string') return message.isOver ? undefined : BROKER_READY
    if (typeof (message.key ?? '') !== 'string') return undefined
    const answer = handlePageRequest(caller, requestId, message, (part) =>
      queueAnswer({ id, part }),
    )
    if (!(answer instanceof Promise)) return { id, ...answer }
    openRequests.add(requestId)
    void answer.then((result) => {
      openRequests.delete(requestId)
      queueAnswer({ id, ...result })
    })
    return undefined
  }

  port.onMessage.addListener((messages) => {
    const answers: BrokerAnswer[] = []
    for (const message of messages as UnverifiedPageMessage[]) {
      const answer = handleMessage(message)
      if (answer) answers.push(answer)
    }
    // A single answer is by far the most frequent case: it is sent at once and not at the end of the task.
    for (const answer of answers) queueAnswer(answer, answers.length === 1)
  })
  sendBatch(port, [BROKER_READY])
  // The calls in flight of an unloaded document are aborted, so that their windows close.
  port.onDisconnect.addListener(() => {
    for (const requestId of openRequests) abortPageRequest(caller, requestId)
  })
}
