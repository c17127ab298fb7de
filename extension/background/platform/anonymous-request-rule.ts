/**
 * Defines the rule that removes from the extension's own requests what tells servers about the extension or its
 * user. Pure: the build writes the rule into a file for Chromium, `anonymous-requests.ts` gives it to Firefox.
 *
 * - `Origin` names the extension. Authorization servers reject a request of an origin that is not on their list of
 *   web origins, and Firefox's is another for each installation, so no list can have it.
 * - `Cookie` and `Set-Cookie` concern the handshake of a WebSocket, for which there is no option. Other requests
 *   have none.
 *
 * The condition has the extension itself as the initiator, so no request of a page changes.
 */

/** The rules of `authorization/redirect-rules.ts`, also of the browser session, have other ids. */
const RULE_ID = 3

/** Name of Chromium's file with the rule, beside the manifest. */
export const ANONYMOUS_REQUESTS_FILE = 'anonymous-requests.json'

/**
 * @param host Host of the extension's own pages.
 * @see https://developer.chrome.com/docs/extensions/reference/api/declarativeNetRequest
 */
export const createAnonymousRequestRule = (host: string) => ({
  id: RULE_ID,
  action: {
    type: 'modifyHeaders',
    requestHeaders: ['cookie', 'origin'].map((header) => ({ header, operation: 'remove' })),
    responseHeaders: [{ header: 'set-cookie', operation: 'remove' }],
  },
  condition: { initiatorDomains: [host], resourceTypes: ['websocket', 'xmlhttprequest'] },
})
