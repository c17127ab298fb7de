/**
 * The content script: carries calls between the page's provider and the broker. It lives in its own
 * world, keeps no secret, and adds only what the page cannot be asked for: whether the user has just
 * acted, and whether the document is visible.
 */

import type { BrokerEvent } from '../../shared/messages/broker-channel.ts'
import {
  CONTENT_READY_EVENT,
  type ContentToProvider,
  PORT_EVENT,
  type ProviderToContent,
} from '../../shared/messages/document-channel.ts'
import { ask, giveUp, isBrokerGone, leave, runtime } from './ask.ts'
import { refusal } from './refusal.ts'

const notPlain = refusal(-32602, 'invalid_params', 'params: expected plain data')

/** Objects, lists, bytes and primitives, a few levels deep: what a browser carries to the broker. */
function isPlain(value: unknown, depth = 4): boolean {
  if (Object(value) !== value) return true
  if (!depth || !/ (Object|Array|ArrayBuffer)]/.test({}.toString.call(value))) return false
  return Object.values(value as object).every((inner) => isPlain(inner, depth - 1))
}

function connect(port: MessagePort): void {
  const post = (message: ContentToProvider) => port.postMessage(message)
  const gone = { type: 'event', event: 'disconnect', payload: {} } as const

  port.onmessage = async ({ data }: MessageEvent<ProviderToContent>) => {
    if (data.type === 'abort') giveUp(data.id)
    else if (data.type === 'ping') post(isBrokerGone() ? gone : { type: 'pong' })
    else {
      const { id, method, params } = data
      const outcome = isPlain(params) ? await ask(id, method, params) : notPlain
      post(outcome ? { type: 'response', id, ...outcome } : gone)
    }
  }

  runtime.onMessage.addListener((message: unknown) => {
    const { type, origin, event, payload } = message as BrokerEvent
    // The tab may have gone elsewhere between the broker's look and the message's arrival.
    if (type === 'brokerEvent' && origin === self.origin) post({ type: 'event', event, payload })
    return undefined
  })

  addEventListener('pagehide', leave)
}

addEventListener(
  PORT_EVENT,
  (event) => {
    event.preventDefault()
    const [port] = (event as MessageEvent).ports
    if (port) connect(port)
  },
  { once: true },
)
dispatchEvent(new Event(CONTENT_READY_EVENT))
