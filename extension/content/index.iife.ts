/**
 * The content script: carries calls between the page's provider and the broker. It lives in its own
 * world, keeps no secret, and adds only what the page cannot be asked for: whether the user has just
 * acted, and whether the document is visible.
 */

import type { BrokerEvent } from '../../shared/messages/broker-channel.ts'
import {
  CONTENT_READY_EVENT,
  type ContentToProvider,
  type Outcome,
  PORT_EVENT,
  type ProviderToContent,
} from '../../shared/messages/document-channel.ts'
import type { ErrorCode } from '../../shared/messages/page-api.ts'
import { ask, isBrokerGone, runtime } from './ask.ts'

function refusal(code: ErrorCode, error: string, message: string): Outcome {
  return { error: { code, message, data: { error } } }
}

/** For a document that is put aside, should it ever come back. */
const putAside = refusal(4901, 'network_error', 'the document was left')

const notPlain = refusal(-32602, 'invalid_params', 'params: expected plain data')

/** Objects, lists, bytes and primitives, a few levels deep: what a browser carries to the broker. */
function isPlain(value: unknown, depth = 4): boolean {
  if (Object(value) !== value) return true
  const kind = {}.toString.call(value)
  if (kind === '[object ArrayBuffer]') return true
  if (!depth || !/ (Object|Array)]/.test(kind)) return false
  return Object.values(value as object).every((inner) => isPlain(inner, depth - 1))
}

/** A body is handed over, not copied. */
function bodyOf(outcome: Outcome): Transferable[] {
  const { body } = (('result' in outcome && outcome.result) || {}) as { body?: unknown }
  return body instanceof ArrayBuffer ? [body] : []
}

function connect(port: MessagePort): void {
  const running = new Map<number, AbortController>()
  const post = (message: ContentToProvider, transfer: Transferable[] = []) =>
    port.postMessage(message, transfer)

  const disconnect = () => post({ type: 'event', event: 'disconnect', payload: {} })

  async function answer(id: number, method: string, params: unknown): Promise<void> {
    const controller = new AbortController()
    running.set(id, controller)
    const outcome = isPlain(params) ? await ask(method, params, controller.signal) : notPlain
    if (outcome === 'brokerGone') disconnect()
    else if (running.delete(id) && outcome) {
      post({ type: 'response', id, ...outcome }, bodyOf(outcome))
    }
  }

  port.onmessage = ({ data }: MessageEvent<ProviderToContent>) => {
    if (data.type === 'request') void answer(data.id, data.method, data.params)
    else if (data.type === 'abort') running.get(data.id)?.abort()
    else if (isBrokerGone()) disconnect()
    else post({ type: 'pong' })
  }

  runtime.onMessage.addListener((message: unknown) => {
    const { type, origin, event, payload } = message as BrokerEvent
    // The tab may have gone elsewhere between the broker's look and the message's arrival.
    if (type === 'brokerEvent' && origin === self.origin) post({ type: 'event', event, payload })
    return undefined
  })

  // A document that goes away takes its open calls along: their windows close.
  window.addEventListener('pagehide', () => {
    for (const [id, controller] of running) {
      controller.abort()
      post({ type: 'response', id, ...putAside })
    }
    running.clear()
  })
}

function onPort(event: Event): void {
  const [port] = (event as MessageEvent).ports
  if (!port) return
  window.removeEventListener(PORT_EVENT, onPort)
  connect(port)
}

window.addEventListener(PORT_EVENT, onPort)
window.dispatchEvent(new Event(CONTENT_READY_EVENT))
