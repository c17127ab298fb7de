/**
 * The port of one document, over which its page calls: decodes its messages and batches the answers. The
 * browser says whose port it is when it is opened; a document keeps its origin, so that is verified once.
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

const BROKER_IS_HERE: BrokerAnswer = { id: 0 }

function callerOf({ sender }: Runtime.Port): Caller {
  return verifyPageSender(sender ?? {}, browser.runtime.id, __DEVELOPMENT__)
}

/** Sends a batch. A document that was unloaded gets nothing, and needs nothing. */
function sendBatch(port: Runtime.Port, answers: BrokerAnswer[]): void {
  try {
    port.postMessage(answers)
  } catch (error) {
    // The port is closed, or the batch is too large: its answers are sent one by one.
    if (answers.length > 1) throw error
  }
}

/** Answers each request of a document that may not call with the reason. It may connect again later. */
function rejectDocument(
  port: Runtime.Port,
  queueAnswer: (answer: BrokerAnswer) => void,
  error: unknown,
): void {
  port.onMessage.addListener((messages) => {
    for (const { id } of messages as UnverifiedPageMessage[]) {
      queueAnswer({ id, error: toErrorObject(error) })
    }
    // After the batch of these answers.
    setTimeout(() => port.disconnect())
  })
}

/** Listens to a document. */
export function servePage(port: Runtime.Port): void {
  const queueAnswer = createBatch<BrokerAnswer>(
    (answers) => sendBatch(port, answers),
    queueMicrotask,
  )
  let caller: Caller
  try {
    caller = callerOf(port)
  } catch (error) {
    rejectDocument(port, queueAnswer, error)
    return
  }
  const openRequests = new Set<string>()

  /** Handles a message. @returns The answer, if it is known at once. */
  function handleMessage(message: UnverifiedPageMessage): BrokerAnswer | undefined {
    const { id } = message
    // A page that sends without its provider may send anything.
    if (typeof id !== 'number') return undefined
    // The same in every worker that takes the call up.
    const requestId = port.name + id
    if (message.isOver) abortPageRequest(caller, requestId)
    // A keep-alive has reset the timer by which the browser stops a worker.
    if (typeof message.method !== 'string') return message.isOver ? undefined : BROKER_IS_HERE
    if (typeof (message.key ?? '') !== 'string') return undefined
    const answer = handlePageRequest(caller, requestId, message, (part) =>
      queueAnswer({ id, part }),
    )
    if (!(answer instanceof Promise)) return { id, ...answer }
    openRequests.add(requestId)
    void answer.then((ended) => {
      openRequests.delete(requestId)
      queueAnswer({ id, ...ended })
    })
    return undefined
  }

  port.onMessage.addListener((messages) => {
    const answers: BrokerAnswer[] = []
    for (const message of messages as UnverifiedPageMessage[]) {
      const answer = handleMessage(message)
      if (answer) answers.push(answer)
    }
    // A single answer, by far the most frequent case, does not wait for the end of the task.
    for (const answer of answers) queueAnswer(answer, answers.length === 1)
  })
  sendBatch(port, [BROKER_IS_HERE])
  // A document that is unloaded takes its open calls along: their windows close.
  port.onDisconnect.addListener(() => {
    for (const requestId of openRequests) abortPageRequest(caller, requestId)
  })
}
