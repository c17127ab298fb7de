/**
 * Tells the open screens that the operators have changed: by the policy, by a file, in another screen. It has no data; a
 * screen reads the operators again.
 */

import browser from 'webextension-polyfill'
import type { OperatorsChanged } from '../../../shared/messages/screen-channel.ts'

export function sendOperatorsChanged(): void {
  const message: OperatorsChanged = { type: 'operatorsChanged' }
  // Without an open screen nobody receives it.
  browser.runtime.sendMessage(message).catch(() => {})
}
