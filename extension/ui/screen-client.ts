/** What a screen may ask of the background. A screen gets it as an argument, so a test can pass its own. */

import browser from 'webextension-polyfill'
import type { ScreenMethod, ScreenMethods } from '../../shared/messages/screen-channel.ts'

export interface ScreenClient {
  ask<M extends ScreenMethod>(
    method: M,
    params: ScreenMethods[M]['params'],
  ): Promise<ScreenMethods[M]['result']>
}

export const screenClient: ScreenClient = {
  ask: (method, params) => browser.runtime.sendMessage({ type: 'screenRequest', method, params }),
}
