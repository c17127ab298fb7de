/**
 * Content script: forwards calls between the page's provider and the broker. It runs in an isolated world,
 * keeps no secret, and adds only what a page cannot be trusted to say: whether the document has user
 * activation, and whether it is visible.
 */

import type { BrokerEvent } from '../../shared/messages/broker-channel.ts'
import {
  CONTENT_READY_EVENT,
  type ContentToProvider,
  PORT_EVENT,
  type ProviderToContent,
} from '../../shared/messages/document-channel.ts'
import { closeConnection, handlePageMessages, runtime } from './worker-connection.ts'

function acceptPort(event: Event): void {
  // Tells the provider that its port is taken, so that it gives the port to no other content script.
  event.preventDefault()
  const [port] = (event as MessageEvent).ports as [MessagePort]
  const post = port.postMessage.bind(port) as (batch: ContentToProvider[]) => void

  port.onmessage = ({ data }: MessageEvent<ProviderToContent[]>) => handlePageMessages(data, post)

  const forwardEvent = (event: BrokerEvent) => {
    // The tab may have navigated between the broker's check of its origin and the arrival of the message.
    if (event.origin === origin) post([{ id: 0 as const, ...event }])
    return undefined
  }
  runtime.onMessage.addListener(forwardEvent as (message: unknown) => undefined)

  addEventListener('pagehide', closeConnection)
}

addEventListener(PORT_EVENT, acceptPort, { once: true })
dispatchEvent(new Event(CONTENT_READY_EVENT))
