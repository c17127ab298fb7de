/**
 * Connects a screen with the background and the browser: requests to the background, the active page, and
 * permission requests, which the browser accepts only in a click on a screen. A screen gets the client as
 * an argument, so that a test can pass its own.
 */

import browser from 'webextension-polyfill'
import type { ScreenMethod, ScreenMethods } from '../../shared/messages/screen-channel.ts'

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
  /** Requests host permissions. It has to be called in the click itself, before any `await`. */
  requestPermissions(origins: string[]): Promise<boolean>
}

export const screenClient: ScreenClient = {
  sendRequest: (method, params) =>
    browser.runtime.sendMessage({ type: 'screenRequest', method, params }),

  async findActivePage() {
    const [tab] = await browser.tabs.query({ active: true, currentWindow: true })
    if (tab?.id === undefined || !tab.url || !URL.canParse(tab.url)) return undefined
    return { tabId: tab.id, origin: new URL(tab.url).origin }
  },

  requestPermissions: (origins) => browser.permissions.request({ origins }),
}
