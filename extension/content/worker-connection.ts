/**
 * Calls to the broker, which may lose its worker at any moment. All calls of a document go over one
 * port; when it closes, the worker has stopped (or would not listen to a document that was not active).
 * When nobody is heard at its other end it is left: of a worker that begins and does not come to run
 * Chromium says nothing. Whatever waits is then asked again, under the same id: that wakes a worker, which
 * finishes or fails what it finds in its records.
 */

import type { Runtime } from 'webextension-polyfill'
import type {
  BrokerAnswer,
  Ended,
  UnverifiedPageMessage,
  UnverifiedPageRequest,
} from '../../shared/messages/broker-channel.ts'
import type {
  ContentToProvider,
  Outcome,
  ProviderToContent,
} from '../../shared/messages/document-channel.ts'

/** Half of what a worker lives in silence. */
const KNOCK_MS = 15_000
/** At the first loss not at all; after that longer each time. */
const PAUSE_MS = 250
const MAX_ATTEMPTS = 20

// Both browsers speak promises here; the polyfill would add 10 kB to every page.
declare const chrome: { runtime: Runtime.Static }
export const runtime = chrome.runtime

interface Waiting {
  request: UnverifiedPageRequest
  /** What has come of a large body. */
  parts: ArrayBuffer[]
}

const GONE = { id: 0, event: 'disconnect' } as const

/** For a document that is put aside, should it ever come back, and for a body with a gap. */
const answerLost: Outcome = {
  error: { code: 4901, message: 'the answer is gone', data: { error: 'network_error' } },
}
/** What the provider sends is plain. */
const tooLarge: Outcome = {
  error: {
    code: -32602,
    message: 'params: expected at most 5 MiB',
    data: { error: 'invalid_params' },
  },
}

// Looked up once: from a content script of Firefox's, each way through the page's window takes its time.
const { userActivation } = navigator
const page = document

const documentName = crypto.randomUUID()
const waiting = new Map<number, Waiting>()
let tellPage: (messages: ContentToProvider[]) => void
let port: Runtime.Port | undefined
let clock: ReturnType<typeof setInterval> | undefined
/** 0 where somebody has been heard since it was last asked whether anybody is here. */
let unheard: number
let retry: ReturnType<typeof setTimeout> | undefined

/** After an update or a removal the script lives on, but its runtime has no id any more. */
function isBrokerGone(): boolean {
  return !runtime.id
}

/** Without an outcome: there is no broker any more. */
function settle(id: number, outcome?: Outcome): void {
  if (waiting.delete(id)) tellPage([outcome ? { id, ...outcome } : GONE])
}

/** A body that came in parts is complete or it is none. */
function whole(ended: Ended, parts: ArrayBuffer[], length: number): Outcome {
  const { result } = ended as { result: { body: ArrayBuffer } }
  const body = new Uint8Array(length)
  let offset = 0
  for (const part of [...parts, result.body]) {
    body.set(new Uint8Array(part), offset)
    offset += part.byteLength
  }
  result.body = body.buffer
  return offset === length ? ended : answerLost
}

function hear(answers: BrokerAnswer[]): void {
  unheard = 0
  const ended: ContentToProvider[] = []
  for (const answer of answers) {
    const { id, part, length } = answer
    const parts = waiting.get(id)?.parts ?? []
    if (part) parts.push(part)
    else if (length) settle(id, whole(answer, parts, length))
    else if (waiting.delete(id)) ended.push(answer as ContentToProvider)
  }
  // What came together goes on together.
  if (ended.length) tellPage(ended)
}

/** A port that was left before is no loss, and while the calls wait to be asked again they are lost already. */
function lost(from = port): void {
  if (from !== port) return
  clearInterval(clock)
  port = undefined
  if (retry) return
  let pause = 0
  for (const [id, call] of waiting) {
    const { request } = call
    // Of the one that has waited longest.
    pause ||= PAUSE_MS * request.attempt
    // What a stopped worker has sent of a body is of no use: the next one begins anew.
    call.parts = []
    if (isBrokerGone() || request.attempt++ > MAX_ATTEMPTS) settle(id)
  }
  retry = setTimeout(askAll, pause)
}

function send(messages: UnverifiedPageMessage[]): void {
  if (!messages.length) return
  try {
    if (!port) {
      port = runtime.connect({ name: documentName })
      unheard = 1
      clock = setInterval(knock, KNOCK_MS)
      port.onMessage.addListener(hear as (message: unknown) => void)
      port.onDisconnect.addListener(lost)
    }
    port.postMessage(messages)
  } catch {
    if (isBrokerGone()) lost()
    else {
      for (const message of messages) {
        // One that cannot be sent does not take the others along.
        if (messages.length > 1) send([message])
        else settle(message.id, message.method ? tooLarge : answerLost)
      }
    }
  }
}

function askAll(): void {
  retry = undefined
  send([...waiting.values()].map(({ request }) => request))
}

/** A message keeps a worker awake; a port that is open, or is opened, does not. */
function knock(): void {
  const [id] = waiting.keys()
  if (!id) leave()
  else if (unheard++) lost()
  else send([{ id }])
}

/**
 * What the page asks, and what it does not wait for any more; nothing, where it wants to know who is here.
 *
 * @param tell Where all answers go, also later ones.
 */
export function hearPage(messages: ProviderToContent[], tell: typeof tellPage): void {
  tellPage = tell
  const toBroker: UnverifiedPageMessage[] = []
  const { length } = messages
  if (!length) tell(isBrokerGone() ? [GONE] : [])
  // By number: for Firefox each step of a walk over a list of the page's is a call into the page.
  for (let i = 0; i < length; i++) {
    const { id, key, method, params } = messages[i] as ProviderToContent
    if (method !== undefined) {
      const request: UnverifiedPageRequest = {
        id,
        attempt: 0,
        key,
        method,
        params,
        userActivation: userActivation.isActive,
        visible: !page.hidden,
      }
      waiting.set(id, { request, parts: [] })
      // After a loss all go together, when its pause is over.
      if (!retry) toBroker.push(request)
    } else if (waiting.delete(id)) toBroker.push({ id, isOver: true })
  }
  send(toBroker)
}

/** A document that goes away: the broker sees it by the port. Should it come back, its calls are over. */
export function leave(): void {
  for (const id of waiting.keys()) settle(id, answerLost)
  port?.disconnect()
  lost()
}
