/**
 * Connects a screen with the background and the browser: requests to the background, the active page, and
 * permission requests, which the browser accepts only in a click on a screen. A screen gets the client as
 * an argument, so that a test can pass its own.
 */

import browser from 'webextension-polyfill'
import type {
  OperatorsChanged,
  ScreenMethod,
  ScreenMethods,
} from '../../shared/messages/screen-channel.ts'

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

const sendRequest: ScreenClient['sendRequest'] = (method, params) =>
  browser.runtime.sendMessage({ type: 'screenRequest', method, params })

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
