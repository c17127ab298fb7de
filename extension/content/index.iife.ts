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
import { hearPage, leave, runtime } from './worker-connection.ts'

function connect(event: Event): void {
  // Others may offer one as well: this one is taken.
  event.preventDefault()
  const [port] = (event as MessageEvent).ports as [MessagePort]
  const post = (messages: ContentToProvider[]) => port.postMessage(messages)

  port.onmessage = ({ data }: MessageEvent<ProviderToContent[]>) => hearPage(data, post)

  runtime.onMessage.addListener((message: unknown) => {
    const event = message as BrokerEvent
    // The tab may have gone elsewhere between the broker's look and the message's arrival.
    if (event.origin === self.origin) post([{ id: 0 as const, ...event }])
    return undefined
  })

  addEventListener('pagehide', leave)
}

addEventListener(PORT_EVENT, connect, { once: true })
dispatchEvent(new Event(CONTENT_READY_EVENT))
