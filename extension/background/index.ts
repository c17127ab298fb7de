/**
 * The broker. Listeners register while this file is first read, so that the event that woke the worker
 * finds them; everything else happens when they are called.
 */

import browser, { type Runtime } from 'webextension-polyfill'
import type { UnverifiedPageMessage } from '../../shared/messages/broker-channel.ts'
import type { ScreenRequest } from '../../shared/messages/screen-channel.ts'
import { redirectReceived, tabClosed } from './authorization.ts'
import { HOUSEKEEPING } from './housekeeping-alarm.ts'
import { listen } from './notifications.ts'
import { abortPageRequest, handlePageRequest } from './page-router.ts'
import { redirectBase } from './redirect-base.ts'
import { toErrorObject } from './refusal.ts'
import { handleScreenRequest } from './screen-router.ts'
import { isOwnScreen, verifyPageSender } from './sender.ts'
import { permissionAdded, permissionRemoved } from './site-changes.ts'
import { registerAnew, syncScripts } from './sites.ts'
import { housekeeping, sweepOnce } from './sweep.ts'
import { warmUp } from './warm-up.ts'

const RECONCILE_AFTER_MS = 1_000
const OWN_ORIGIN = browser.runtime.getURL('').replace(/\/$/, '')

type Message = UnverifiedPageMessage | ScreenRequest

function onMessage(message: Message, sender: Runtime.MessageSender): Promise<unknown> | undefined {
  if (message.type === 'screenRequest') {
    if (!isOwnScreen(sender, browser.runtime.id, OWN_ORIGIN)) return undefined
    return handleScreenRequest(message)
  }
  try {
    const caller = verifyPageSender(sender, browser.runtime.id, __DEVELOPMENT__)
    if (message.type === 'pageRequest') return handlePageRequest(caller, message)
    if (message.type === 'pageAbort') abortPageRequest(caller, message.requestId)
    return undefined
  } catch (error) {
    return Promise.resolve({ error: toErrorObject(error) })
  }
}

browser.runtime.onMessage.addListener(
  onMessage as Parameters<typeof browser.runtime.onMessage.addListener>[0],
)

browser.webRequest.onBeforeRequest.addListener(
  ({ tabId, url }) => {
    void redirectReceived(tabId, url)
    return undefined
  },
  { urls: [`${redirectBase}*`], types: ['main_frame'] },
)

browser.tabs.onRemoved.addListener((tabId) => void tabClosed(tabId))

browser.runtime.onStartup.addListener(() => void sweepOnce())
browser.runtime.onInstalled.addListener(() => void sweepOnce())
browser.runtime.onInstalled.addListener(() => void registerAnew())

browser.permissions.onAdded.addListener(() => void permissionAdded())
browser.permissions.onRemoved.addListener(() => void permissionRemoved())

// What happened to permissions while nobody listened is found out, after the event that woke the worker.
setTimeout(() => void permissionRemoved().then(syncScripts), RECONCILE_AFTER_MS)

browser.storage.onChanged.addListener((_, area) => {
  if (area === 'managed') void housekeeping()
})

browser.alarms.onAlarm.addListener(({ name }) => {
  if (name === HOUSEKEEPING) void housekeeping()
})

warmUp()

// A worker that wakes up, for whatever reason, hears the networks again, and the first one cleans up.
void sweepOnce()
void listen()
