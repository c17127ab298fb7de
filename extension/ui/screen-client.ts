/**
 * What a screen may do beyond showing itself: ask the background, and ask the browser for what only a
 * screen may ask in a click. A screen gets it as an argument, so a test can pass its own.
 */

import browser from 'webextension-polyfill'
import type { ScreenMethod, ScreenMethods } from '../../shared/messages/screen-channel.ts'

/** The page that the user was at when the popup opened. */
export interface ActivePage {
  tabId: number
  origin: string
}

export interface ScreenClient {
  ask<M extends ScreenMethod>(
    method: M,
    params: ScreenMethods[M]['params'],
  ): Promise<ScreenMethods[M]['result']>
  activePage(): Promise<ActivePage | undefined>
  /** To be called in the click itself, before anything is waited for. */
  requestPermissions(origins: string[]): Promise<boolean>
}

export const screenClient: ScreenClient = {
  ask: (method, params) => browser.runtime.sendMessage({ type: 'screenRequest', method, params }),

  async activePage() {
    const [tab] = await browser.tabs.query({ active: true, currentWindow: true })
    if (tab?.id === undefined || !tab.url || !URL.canParse(tab.url)) return undefined
    return { tabId: tab.id, origin: new URL(tab.url).origin }
  },

  requestPermissions: (origins) => browser.permissions.request({ origins }),
}
