/**
 * Connects the calls of a page with the broker's worker, which the browser may stop at any moment. All calls
 * of a document go over one port. The script reconnects and resends the pending calls when the port closes,
 * and when no message arrives at a port that is open: Chromium reports nothing of a worker that starts and
 * never comes to run. A closed port also means a broker that does not serve a document that was not active.
 *
 * A call is resent under the same id. That wakes a worker, which finishes or fails what it finds in its
 * records for this id.
 */

import type { Runtime } from 'webextension-polyfill'
import type {
  BrokerAnswer,
  BrokerEvent,
  Ended,
  UnverifiedPageMessage,
  UnverifiedPageRequest,
} from '../../shared/messages/broker-channel.ts'
import type {
  ContentToProvider,
  Outcome,
  ProviderToContent,
} from '../../shared/messages/document-channel.ts'
import { KEEP_ALIVE_MS, RECONNECT_BACKOFF_MS } from '../limits.ts'

const MAX_ATTEMPTS = 20

// Both browsers return promises here; the polyfill would add 10 kB to every page.
declare global {
  /** The `id` of `runtime` is undefined after an update or a removal of the extension: the broker is gone, the script
   * lives on. The first access takes its time, so a page that calls nothing has none. */
  var chrome: { runtime: Runtime.Static }
}

interface PendingCall {
  request: UnverifiedPageRequest
  /** The parts of a large body that have arrived. */
  parts: ArrayBuffer[]
}

const GONE = { id: 0, event: 'disconnect' } as const

/** For a document that goes into the back/forward cache, should it come back, and for an incomplete body. */
const answerLost: Outcome = {
  error: { code: 4901, message: 'the answer is gone', data: { error: 'network_error' } },
}
/** The only reason why a request cannot be sent, since the provider sends plain data. */
const tooLarge: Outcome = {
  error: {
    code: -32602,
    message: 'params: expected at most 5 MiB',
    data: { error: 'invalid_params' },
  },
}

// Read once: in a content script of Firefox each access through the page's window is slow.
const { userActivation } = navigator
const page = document

const documentName = crypto.randomUUID()
const pendingCalls = new Map<number, PendingCall>()
/** Undefined before the page has asked for a provider. */
let postToPage: (batch: ContentToProvider[], transfer?: ArrayBuffer[]) => void
let port: Runtime.Port | undefined
let keepAliveTimer: ReturnType<typeof setInterval> | undefined
/** Keep-alives, and the opening of the port, since the last message of the worker. */
let unanswered: number
let reconnectTimer: ReturnType<typeof setTimeout> | undefined

/**
 * @param outcome By default the broker is gone; the `id` of that event replaces the `id` of the call.
 * @param transfer Large buffers of the outcome, which the page gets without a copy.
 */
function settleCall(
  id: number,
  outcome: Outcome | typeof GONE = GONE,
  transfer?: ArrayBuffer[],
): void {
  if (pendingCalls.delete(id)) postToPage([{ id, ...outcome }], transfer)
}

/**
 * Settles a call with a body that came in parts.
 *
 * @param length Of the body, in bytes. An incomplete body is an error.
 */
function settleWithBody(id: number, ended: Ended, parts: ArrayBuffer[], length: number): void {
  const { result } = ended as { result: { body: ArrayBuffer } }
  const body = new Uint8Array(length)
  let offset = 0
  for (const part of [...parts, result.body]) {
    body.set(new Uint8Array(part), offset)
    offset += part.byteLength
  }
  result.body = body.buffer
  settleCall(id, offset === length ? ended : answerLost, [result.body])
}

function handleWorkerMessages(answers: BrokerAnswer[]): void {
  unanswered = 0
  const batch: ContentToProvider[] = []
  for (const answer of answers) {
    const { id, part, length } = answer
    const parts = pendingCalls.get(id)?.parts ?? []
    if (part) parts.push(part)
    else if (length) settleWithBody(id, answer, parts, length)
    else if (pendingCalls.delete(id)) batch.push(answer as ContentToProvider)
  }
  // The answers of one message go to the page in one message.
  if (batch.length) postToPage(batch)
}

/**
 * Schedules the reconnect. A port that has been replaced changes nothing, and while a reconnect is already
 * scheduled the calls are not counted as lost a second time.
 */
function handleDisconnect(closedPort = port): void {
  if (closedPort !== port) return
  clearInterval(keepAliveTimer)
  port = undefined
  if (reconnectTimer) return
  let pause = 0
  for (const [id, call] of pendingCalls) {
    const { request } = call
    // The pause follows the attempts of the oldest call.
    pause ||= RECONNECT_BACKOFF_MS * request.attempt
    // The next worker sends a body from its beginning.
    call.parts = []
    if (!chrome.runtime.id || request.attempt++ > MAX_ATTEMPTS) settleCall(id)
  }
  reconnectTimer = setTimeout(resendPending, pause)
}

function sendToWorker(batch: UnverifiedPageMessage[]): void {
  if (!batch.length) return
  try {
    if (!port) {
      port = chrome.runtime.connect({ name: documentName })
      unanswered = 1
      keepAliveTimer = setInterval(sendKeepAlive, KEEP_ALIVE_MS)
      port.onMessage.addListener(handleWorkerMessages as (message: unknown) => void)
      port.onDisconnect.addListener(handleDisconnect)
      // With each port, since `document.open()` removes the listeners of the window.
      addEventListener('pagehide', closeConnection)
    }
    port.postMessage(batch)
  } catch {
    if (!chrome.runtime.id) handleDisconnect()
    else {
      for (const message of batch) {
        // Message by message, so that a message that cannot be sent does not fail the others.
        if (batch.length > 1) sendToWorker([message])
        else settleCall(message.id, message.method ? tooLarge : answerLost)
      }
    }
  }
}

function resendPending(): void {
  reconnectTimer = undefined
  sendToWorker([...pendingCalls.values()].map(({ request }) => request))
}

/** Keeps the worker awake by a message. An open port alone does not, nor does the opening of one. */
function sendKeepAlive(): void {
  const [id] = pendingCalls.keys()
  if (!id) closeConnection()
  else if (unanswered++) handleDisconnect()
  else sendToWorker([{ id }])
}

/** Takes a batch of the page: calls and aborts. An empty batch is a ping. */
function handlePageMessages({ data: messages }: { data: ProviderToContent[] }): void {
  const toBroker: UnverifiedPageMessage[] = []
  const { length } = messages
  if (!length) postToPage(chrome.runtime.id ? [] : [GONE])
  // By index: in Firefox each step of an iteration over an array of the page is a call into the page.
  for (let i = 0; i < length; i++) {
    const { id, key, method, params } = messages[i] as ProviderToContent
    if (method !== undefined) {
      const request: UnverifiedPageRequest = {
        id,
        key,
        method,
        params,
        attempt: 0,
        userActivation: userActivation.isActive,
        visible: !page.hidden,
      }
      pendingCalls.set(id, { request, parts: [] })
      // While a reconnect is scheduled the call waits for it, and goes with the others.
      if (!reconnectTimer) toBroker.push(request)
    } else if (pendingCalls.delete(id)) toBroker.push({ id, isOver: true })
  }
  sendToWorker(toBroker)
}

/** Takes the port of the page's provider: one port. */
export function acceptPort(event: Event): void {
  // The script of an extension that was reloaded leaves the port to the script of the new one.
  if ((postToPage as unknown) || !chrome.runtime.id) return
  // Tells the provider that its port is taken.
  event.preventDefault()
  const [pagePort] = (event as MessageEvent).ports as [MessagePort]
  postToPage = pagePort.postMessage.bind(pagePort) as typeof postToPage
  pagePort.onmessage = handlePageMessages
  const forwardEvent = (brokerEvent: BrokerEvent) => {
    // The tab may have navigated between the broker's check of its origin and the arrival of the message.
    if (brokerEvent.origin === origin) postToPage([{ id: 0 as const, ...brokerEvent }])
    return undefined
  }
  chrome.runtime.onMessage.addListener(forwardEvent as (message: unknown) => undefined)
}

/**
 * Ends all calls of a document that is unloaded and closes its port, by which the broker notices. A document
 * that comes back from the back/forward cache gets the outcomes. A timer posts them, which stops while the
 * document is cached: Firefox loses messages that are posted while the document goes into the cache.
 */
export function closeConnection(): void {
  const batch = [...pendingCalls.keys()].map((id) => ({ id, ...answerLost }))
  pendingCalls.clear()
  setTimeout(postToPage, 0, batch)
  port?.disconnect()
  handleDisconnect()
}
