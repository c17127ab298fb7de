/**
 * Entry point of the background: registers every listener of the browser, and starts what each new
 * worker does. The listeners are registered synchronously while this file is first read: the browser
 * delivers the event that woke the worker only to listeners that exist by then.
 *
 * Border: a listener only calls the folder that does the work.
 */

import browser, { type Runtime } from 'webextension-polyfill'
import type { ScreenAnswer, ScreenRequest } from '../../shared/messages/screen-channel.ts'
import { PERMISSION_CHECK_DELAY_MS } from '../limits.ts'
import { handleRedirect, handleTabClosed } from './authorization/authorization-flow.ts'
import { listenForRevocations } from './authorization/capif-revocation-channel.ts'
import { handlePermissionAdded, handlePermissionRemoved } from './lifecycle/site-changes.ts'
import { cleanUpOnce, runHousekeeping } from './lifecycle/startup-cleanup.ts'
import { warmUp } from './lifecycle/warm-up.ts'
import { onOperatorsChanged } from './operators/operators.ts'
import { servePage } from './page/page-port.ts'
import { isOwnScreen } from './page/sender.ts'
import { HOUSEKEEPING } from './platform/housekeeping-alarm.ts'
import { redirectBase } from './platform/redirect-base.ts'
import { sendOperatorsChanged } from './screens/screen-events.ts'
import { answerScreenRequest } from './screens/screen-router.ts'
import { reregisterScripts, syncScripts } from './sites/sites.ts'

const OWN_ORIGIN = browser.runtime.getURL('').replace(/\/$/, '')

function onScreenRequest(
  message: ScreenRequest,
  sender: Runtime.MessageSender,
): Promise<ScreenAnswer> | undefined {
  if (!isOwnScreen(sender, browser.runtime.id, OWN_ORIGIN)) return undefined
  return answerScreenRequest(message)
}

browser.runtime.onMessage.addListener(
  onScreenRequest as Parameters<typeof browser.runtime.onMessage.addListener>[0],
)

browser.runtime.onConnect.addListener(servePage)

browser.webRequest.onBeforeRequest.addListener(
  ({ tabId, url }) => {
    void handleRedirect(tabId, url)
    return undefined
  },
  { urls: [`${redirectBase}*`], types: ['main_frame'] },
)

browser.tabs.onRemoved.addListener((tabId) => void handleTabClosed(tabId))

browser.runtime.onStartup.addListener(() => void cleanUpOnce())
browser.runtime.onInstalled.addListener(() => void cleanUpOnce())
browser.runtime.onInstalled.addListener(() => void reregisterScripts())

browser.permissions.onAdded.addListener(({ origins = [] }) => void handlePermissionAdded(origins))
browser.permissions.onRemoved.addListener(() => void handlePermissionRemoved())

// Permissions may have been removed while no worker ran. The event that woke the worker is handled first.
setTimeout(() => void handlePermissionRemoved().then(syncScripts), PERMISSION_CHECK_DELAY_MS)

browser.storage.onChanged.addListener((_, area) => {
  if (area === 'managed') void runHousekeeping()
})

onOperatorsChanged(sendOperatorsChanged)

browser.alarms.onAlarm.addListener(({ name }) => {
  if (name === HOUSEKEEPING) void runHousekeeping()
})

warmUp()

// Each new worker reconnects to the CAPIF cores. The first one of a browser session cleans up.
void cleanUpOnce()
void listenForRevocations()
