/**
 * Content script: forwards calls between the page's provider and the broker. It runs in an isolated world,
 * keeps no secret, and adds only what a page cannot be trusted to say: whether the document has user
 * activation, and whether it is visible. A page that asks for no provider costs a listener: the script touches no
 * interface of the browser before.
 */

import { CONTENT_READY_EVENT, PORT_EVENT } from '../../shared/messages/document-channel.ts'
import { acceptPort } from './worker-connection.ts'

/** Adds the listener if it is not there. */
function listen(): void {
  addEventListener(PORT_EVENT + __VERSION__, acceptPort)
}
// `document.open()` removes the listeners of the window, and the nodes of the document.
new MutationObserver(listen).observe(document, { childList: true })
listen()
dispatchEvent(new Event(CONTENT_READY_EVENT))
