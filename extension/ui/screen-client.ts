/**
 * Connects a screen with the background and the browser: requests to the background, the active page, and
 * permission requests, which the browser accepts only in a click on a screen. A screen gets the client as
 * an argument, so that a test can pass its own.
 *
 * A worker that the browser stops sends no answer. A request that changes nothing when it is handled twice is then
 * sent again, and the next worker answers it; any other request fails.
 */

import browser from 'webextension-polyfill'
import type {
  OperatorsChanged,
  ScreenAnswer,
  ScreenMethod,
  ScreenMethods,
} from '../../shared/messages/screen-channel.ts'
import { SCREEN_RESEND_PAUSE_MS } from '../limits.ts'

/** Page that the user had open when the popup opened. */
export interface ActivePage {
  tabId: number
  origin: string
}

export interface ScreenClient {
  sendRequest<M extends ScreenMethod>(
    method: M,
    params: ScreenMethods[M]['params'],
  ): Promise<ScreenMethods[M]['result']>
  findActivePage(): Promise<ActivePage | undefined>
  /**
   * Adds a listener for changes of the operators, which the background reports.
   *
   * @returns Removes the listener.
   */
  onOperatorsChanged(listener: () => void): () => void
  /** Puts a text into the clipboard. It has to be called in the click itself. */
  copyText(text: string): Promise<void>
  /**
   * Requests host permissions. It has to be called in the click itself, before any `await`: the browser
   * shows its question only then. It may close the screen in the meantime, so the background is told of
   * the question first.
   *
   * @param site Site that the background switches on if the answer is yes.
   */
  requestPermissions(origins: string[], site?: ActivePage): Promise<boolean>
}

/** Methods that read, or whose second execution changes nothing. */
const REPEATABLE: readonly ScreenMethod[] = [
  'getConsentRequest',
  'approve',
  'deny',
  'listGrants',
  'revokeGrant',
  'listOperators',
  'checkOperator',
  'discoverOperator',
  'getSite',
  'listSites',
  'endPermissionRequest',
  'stopSite',
  'readLog',
  'clearLog',
]
const MAX_ATTEMPTS = 5

/**
 * Sends a request once.
 *
 * @returns `undefined` without an answer. A browser reports that as `undefined` or as an error.
 */
const sendOnce = <M extends ScreenMethod>(method: M, params: ScreenMethods[M]['params']) =>
  browser.runtime
    .sendMessage({ type: 'screenRequest', method, params })
    .catch(() => undefined) as Promise<ScreenAnswer<ScreenMethods[M]['result']> | undefined>

/** @throws Error with a message for the user: of the background, or because it did not answer. */
const sendRequest: ScreenClient['sendRequest'] = async (method, params) => {
  for (let attempt = 1; ; attempt++) {
    const answer = await sendOnce(method, params)
    if (answer && 'error' in answer) throw new Error(answer.error)
    // Chromium leaves a result out that is undefined.
    if (answer) return answer.result
    if (attempt === MAX_ATTEMPTS || !REPEATABLE.includes(method)) {
      throw new Error('Northkey did not answer. Please try again.')
    }
    await new Promise((resolve) => setTimeout(resolve, SCREEN_RESEND_PAUSE_MS))
  }
}

async function waitForAnswer(asking: Promise<boolean>): Promise<boolean> {
  let isGiven = false
  try {
    isGiven = await asking
    return isGiven
  } finally {
    // After a yes the change that the permission is for ends the question.
    if (!isGiven) await sendRequest('endPermissionRequest', {})
  }
}

export const screenClient: ScreenClient = {
  sendRequest,

  async findActivePage() {
    const [tab] = await browser.tabs.query({ active: true, currentWindow: true })
    if (tab?.id === undefined || !tab.url || !URL.canParse(tab.url)) return undefined
    return { tabId: tab.id, origin: new URL(tab.url).origin }
  },

  onOperatorsChanged(listener) {
    function receive(message: unknown): undefined {
      if ((message as Partial<OperatorsChanged> | null)?.type === 'operatorsChanged') listener()
    }
    browser.runtime.onMessage.addListener(receive)
    return () => browser.runtime.onMessage.removeListener(receive)
  },

  copyText: (text) => navigator.clipboard.writeText(text),

  requestPermissions(origins, site) {
    const params = { permissions: origins, ...(site && { site }) }
    void sendRequest('openPermissionRequest', params).catch(() => {})
    return waitForAnswer(browser.permissions.request({ origins }))
  },
}
