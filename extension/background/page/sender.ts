/**
 * Verifies the sender of a message. Only the browser's own statement about the sender counts. A field
 * of the message does not, and neither does `sender.url`: a sandboxed frame keeps the address of the
 * site around it.
 */

import type { Runtime } from 'webextension-polyfill'
import type { Caller } from '../methods/page-call.ts'
import { forbiddenContext } from '../platform/broker-error.ts'
import { isInContainer } from '../platform/container.ts'
import { isSecureOrigin } from '../platform/secure-origin.ts'

/** Chromium's and Firefox's own additions to the sender. */
type Sender = Runtime.MessageSender & {
  origin?: string
  documentId?: string
  documentLifecycle?: string
}

/**
 * Verifies that the sender is the active top document of a tab outside of containers, in a secure context.
 *
 * @param ownId The extension's id.
 * @throws BrokerError `forbidden_context`
 */
export function verifyPageSender(
  sender: Runtime.MessageSender,
  ownId: string,
  development: boolean,
): Caller {
  const { id, frameId, tab, origin, documentId, documentLifecycle } = sender as Sender
  if (id !== ownId) throw forbiddenContext('the message is not from the broker’s own script')
  if (frameId !== 0 || tab?.id === undefined || tab.id < 0) {
    throw forbiddenContext('only the top document of a tab may ask')
  }
  if (isInContainer(tab)) throw forbiddenContext('the broker does not run in a container tab')
  if (documentLifecycle !== undefined && documentLifecycle !== 'active') {
    throw forbiddenContext('the document is not active')
  }
  if (!origin || !isSecureOrigin(origin, development)) {
    throw forbiddenContext('the document is not in a secure context')
  }
  return { origin, tabId: tab.id, documentId: documentId ?? `tab:${tab.id}` }
}

/**
 * Tells whether the sender is one of the broker's own screens.
 *
 * @param ownOrigin As `location.origin` has it.
 */
export function isOwnScreen(
  sender: Runtime.MessageSender,
  ownId: string,
  ownOrigin: string,
): boolean {
  const { id, origin, url } = sender as Sender
  if (id !== ownId) return false
  if (origin !== undefined) return origin === ownOrigin
  return url !== undefined && URL.canParse(url) && url.startsWith(`${ownOrigin}/`)
}
