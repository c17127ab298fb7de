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
import { together } from '../../shared/messages/together.ts'
import { ask, giveUp, isBrokerGone, leave, runtime } from './ask.ts'

function connect(port: MessagePort): void {
  const post = together<ContentToProvider>((list) => port.postMessage(list))
  const gone = { event: 'disconnect', payload: {} } as const

  port.onmessage = ({ data }: MessageEvent<ProviderToContent[]>) => {
    if (!data.length) port.postMessage(isBrokerGone() ? [gone] : [])
    for (const message of data) {
      const { id } = message
      if (message.method) ask(message, (outcome) => post(outcome ? { id, ...outcome } : gone))
      else giveUp(id)
    }
  }

  runtime.onMessage.addListener((message: unknown) => {
    const { origin, event, payload } = message as BrokerEvent
    // The tab may have gone elsewhere between the broker's look and the message's arrival.
    if (origin === self.origin) post({ event, payload })
    return undefined
  })

  addEventListener('pagehide', leave)
}

addEventListener(
  PORT_EVENT,
  (event) => {
    event.preventDefault()
    const [port] = (event as MessageEvent).ports
    connect(port as MessagePort)
  },
  { once: true },
)
dispatchEvent(new Event(CONTENT_READY_EVENT))
