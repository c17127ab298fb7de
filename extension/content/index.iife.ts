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
import { ask, isBrokerGone, runtime } from './ask.ts'

function connect(port: MessagePort): void {
  const running = new Map<number, AbortController>()
  const post = (message: ContentToProvider) => port.postMessage(message)

  async function answer(id: number, method: string, params: unknown): Promise<void> {
    const controller = new AbortController()
    running.set(id, controller)
    const outcome = await ask(method, params, controller.signal)
    running.delete(id)
    if (outcome) post({ type: 'response', id, ...outcome })
  }

  port.onmessage = ({ data }: MessageEvent<ProviderToContent>) => {
    if (data.type === 'request') void answer(data.id, data.method, data.params)
    else if (data.type === 'abort') running.get(data.id)?.abort()
    else if (isBrokerGone()) post({ type: 'event', event: 'disconnect', payload: {} })
    else post({ type: 'pong' })
  }

  runtime.onMessage.addListener((message: unknown) => {
    const { type, event, payload } = message as BrokerEvent
    if (type === 'brokerEvent') post({ type: 'event', event, payload })
    return undefined
  })

  // A document that goes away takes its open calls along: their windows close.
  window.addEventListener('pagehide', () => {
    for (const controller of running.values()) controller.abort()
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
