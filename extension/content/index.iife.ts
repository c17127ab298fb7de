/**
 * Content script: forwards calls between the page's provider and the broker. It runs in an isolated world,
 * keeps no secret, and adds only what a page cannot be trusted to say: whether the document has user
 * activation, and whether it is visible. A page that asks for no provider costs a listener: the script touches no
 * interface of the browser before.
 */

import type { BrokerEvent } from '../../shared/messages/broker-channel.ts'
import {
  CONTENT_READY_EVENT,
  type ContentToProvider,
  PAIR_EVENT,
  type ProviderToContent,
} from '../../shared/messages/document-channel.ts'
import { handlePageMessages } from './worker-connection.ts'

/** Type of the event that hands over the port of the provider. Empty before the pairing, and once there is a port. */
let portEvent = ''

function acceptPort(event: Event): void {
  portEvent = ''
  const [port] = (event as MessageEvent).ports as [MessagePort]
  const post = port.postMessage.bind(port) as (batch: ContentToProvider[]) => void

  port.onmessage = ({ data }: MessageEvent<ProviderToContent[]>) => handlePageMessages(data, post)

  const forwardEvent = (event: BrokerEvent) => {
    // The tab may have navigated between the broker's check of its origin and the arrival of the message.
    if (event.origin === origin) post([{ id: 0 as const, ...event }])
    return undefined
  }
  chrome.runtime.onMessage.addListener(forwardEvent as (message: unknown) => undefined)
}

function listenForPort(): void {
  addEventListener(portEvent, acceptPort, { once: true })
}

function pair(event: Event): void {
  // Tells the provider that it is paired, so that it pairs with no other content script.
  event.preventDefault()
  portEvent = (event as CustomEvent<string>).detail
  listenForPort()
}

addEventListener(PAIR_EVENT, pair, { once: true })
// `document.open()` removes the listeners of the window, and the nodes of the document.
new MutationObserver(listenForPort).observe(document, { childList: true })
dispatchEvent(new Event(CONTENT_READY_EVENT))
