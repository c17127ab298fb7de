/**
 * Calls to the broker, which may lose its worker at any moment. All calls of a document go over one
 * port; when it closes, the worker has stopped. Whatever waits is then asked again, under the same id:
 * that wakes a worker, which finishes or fails what it finds in its records.
 */

import type { Runtime } from 'webextension-polyfill'
import type {
  BrokerAnswer,
  UnverifiedPageMessage,
  UnverifiedPageRequest,
} from '../../shared/messages/broker-channel.ts'
import type { Outcome } from '../../shared/messages/document-channel.ts'
import { refusal } from './refusal.ts'

// Both browsers speak promises here; the polyfill would add 10 kB to every page.
declare const chrome: { runtime: Runtime.Static }
export const runtime = chrome.runtime

/** Half of what a worker lives in silence. */
const KNOCK_MS = 15_000
const PAUSE_MS = 250
const ATTEMPTS_WITHOUT_ANSWER = 20

interface Waiting {
  request: UnverifiedPageRequest
  /** What has come of a large body. */
  parts: ArrayBuffer[]
  resolve(outcome?: Outcome): void
}

/** For a document that is put aside, should it ever come back, and for a body with a gap in it. */
const answerLost = refusal(4901, 'network_error', 'the answer was lost')

const documentName = crypto.randomUUID()
const waiting = new Map<string, Waiting>()
let port: Runtime.Port | undefined
let clock: ReturnType<typeof setInterval> | undefined
let failures = 0

/** After an update or a removal the script lives on, but its runtime has no id any more. */
export function isBrokerGone(): boolean {
  return !runtime?.id
}

/** Without an outcome: there is no broker any more. */
function settle(requestId: string, outcome?: Outcome): void {
  waiting.get(requestId)?.resolve(outcome)
  waiting.delete(requestId)
}

/** A body that came in parts is complete or it is none. */
function whole(outcome: Outcome, parts: ArrayBuffer[], length: number): Outcome {
  const { result } = outcome as { result: { body: ArrayBuffer } }
  const body = new Uint8Array(length)
  let offset = 0
  for (const part of [...parts, result.body]) {
    body.set(new Uint8Array(part), offset)
    offset += part.byteLength
  }
  result.body = body.buffer
  return offset === length ? outcome : answerLost
}

function hear({ requestId, part, outcome, length }: BrokerAnswer): void {
  failures = 0
  const parts = waiting.get(requestId)?.parts ?? []
  if (part) parts.push(part)
  if (outcome) settle(requestId, length ? whole(outcome, parts, length) : outcome)
}

function hangUp(): void {
  clearInterval(clock)
  port?.disconnect()
  port = undefined
}

function lost(): void {
  hangUp()
  const gone = isBrokerGone() || ++failures > ATTEMPTS_WITHOUT_ANSWER
  for (const [requestId, call] of waiting) {
    // What a stopped worker has sent of a body is of no use: the next one begins anew.
    call.parts = []
    if (gone) settle(requestId)
  }
  if (waiting.size) setTimeout(askAgain, PAUSE_MS * failures)
}

function send(message: UnverifiedPageMessage): void {
  try {
    if (!port) {
      clock = setInterval(knock, KNOCK_MS)
      port = runtime.connect()
      port.onMessage.addListener(hear as (message: unknown) => void)
      port.onDisconnect.addListener(lost)
    }
    port.postMessage(message)
  } catch {
    // Too large, if the broker is still there.
    if (isBrokerGone()) lost()
    else settle(message.requestId, answerLost)
  }
}

function askAgain(): void {
  for (const { request } of waiting.values()) {
    request.attempt++
    send(request)
  }
}

/** A message keeps a worker awake; a port that is open, or is opened, does not. */
function knock(): void {
  const [requestId] = waiting.keys()
  if (requestId) send({ type: 'pageWaits', requestId })
  else hangUp()
}

/** The outcome, or `undefined`: there is no broker any more. */
export function ask(id: number, method: string, params: unknown): Promise<Outcome | undefined> {
  return new Promise((resolve) => {
    const requestId = documentName + id
    const request: UnverifiedPageRequest = {
      type: 'pageRequest',
      requestId,
      attempt: 0,
      method,
      params,
      userActivation: navigator.userActivation.isActive,
      visible: !document.hidden,
    }
    waiting.set(requestId, { request, parts: [], resolve })
    send(request)
  })
}

/** The page does not wait any more. */
export function giveUp(id: number): void {
  const requestId = documentName + id
  if (waiting.delete(requestId)) send({ type: 'pageAbort', requestId })
}

/** A document that goes away: the broker sees it by the port. Should it come back, its calls are over. */
export function leave(): void {
  for (const requestId of waiting.keys()) settle(requestId, answerLost)
  hangUp()
}
