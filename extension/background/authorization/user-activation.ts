/**
 * Decides whether a page's click of the user may open a window at this moment. The content script reports the
 * transient user activation of a call; what follows is decided here:
 *
 * - A click opens one window. The window spends every click before it, and each activation that may still come
 *   from such a click: whatever the page aborts, and however many calls and documents of the origin use it.
 * - A click expires. An attempt without a window before, and requests to the operator, take their time; after that
 *   the user expects no window any more.
 * - The page is in front when the window opens, and not only when it called. The browser answers that, not the
 *   page.
 *
 * The sign-in window of a flow that the user approved in the consent window needs no click of the page: the click on
 * "Allow" was in a window of the broker.
 *
 * Border: `methods/user-interaction.ts` has the conditions of a call (gesture, one window at a time, cooldown).
 *
 * @see HTML Standard, section "Tracking user activation"; decision 0029
 */

import browser from 'webextension-polyfill'
import { ACTIVATION_LIFETIME_MS, TRANSIENT_ACTIVATION_MS } from '../../limits.ts'
import { interactionRequired } from '../platform/broker-error.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'
import { isTabShown } from './windows.ts'

const STORAGE_KEY = 'openedWindows'

/** A call of a page, with the time when it reached the worker. */
export interface ActivatedCall {
  origin: string
  calledAtMs: number
  /** Flow of the call, once there is one. */
  flowId?: string
}

interface OpenedWindow {
  /** In milliseconds since the epoch. */
  openedAtMs: number
  flowId: string
}

/** The last window of each origin. */
type OpenedWindows = Record<string, OpenedWindow>

/** Tells whether the click of a call may have come before a window of the same origin. */
export function isSpent(calledAtMs: number, openedAtMs: number | undefined, now: number): boolean {
  // A clock that was set back makes no window of the future.
  if (openedAtMs === undefined || openedAtMs > now) return false
  return calledAtMs < openedAtMs + TRANSIENT_ACTIVATION_MS
}

/** Tells whether the click of a call is too long ago. */
export function isExpired(calledAtMs: number, now: number): boolean {
  return now >= calledAtMs + ACTIVATION_LIFETIME_MS || now < calledAtMs
}

async function readOpenedWindows(): Promise<OpenedWindows> {
  const items = await browser.storage.session.get(STORAGE_KEY)
  return (items[STORAGE_KEY] as OpenedWindows | undefined) ?? {}
}

/** Adds the window that opens now. Windows that no click can be older than are dropped. Pure. */
function addOpenedWindow(
  windows: OpenedWindows,
  origin: string,
  opened: OpenedWindow,
): OpenedWindows {
  const relevant = Object.entries(windows).filter(
    ([, { openedAtMs }]) =>
      Math.abs(opened.openedAtMs - openedAtMs) < ACTIVATION_LIFETIME_MS + TRANSIENT_ACTIVATION_MS,
  )
  return { ...Object.fromEntries(relevant), [origin]: opened }
}

/** @throws BrokerError `interaction_required` */
function judgeActivation(call: ActivatedCall, opened: OpenedWindow | undefined): void {
  const { calledAtMs, flowId } = call
  const isOwnWindow = opened !== undefined && opened.flowId === flowId
  const now = Date.now()
  if (!isOwnWindow && isSpent(calledAtMs, opened?.openedAtMs, now)) {
    throw interactionRequired(
      'the last click has opened a window: another window takes a new click',
    )
  }
  if (isExpired(calledAtMs, now)) {
    throw interactionRequired('the click of the user is too long ago: a window takes a new click')
  }
}

/**
 * A flow that a stopped worker left has its click spent on its own window, which the next worker closes and opens
 * again.
 *
 * @throws BrokerError `interaction_required` if the click of the call is spent, or too long ago.
 */
export async function requireActivation(call: ActivatedCall): Promise<void> {
  judgeActivation(call, (await readOpenedWindows())[call.origin])
}

const runInQueue = createSerialQueue()

/**
 * Spends the click of a call on the window that opens next.
 *
 * @throws BrokerError `interaction_required` if the window may not open.
 */
export function spendActivation(
  call: ActivatedCall & { pageTabId: number; flowId: string },
): Promise<void> {
  const { origin, flowId, pageTabId } = call
  return runInQueue(async () => {
    const [windows, isShown] = await Promise.all([readOpenedWindows(), isTabShown(pageTabId)])
    judgeActivation(call, windows[origin])
    if (!isShown) {
      throw interactionRequired('a window opens only while its page is visible, in the active tab')
    }
    const opened = addOpenedWindow(windows, origin, { openedAtMs: Date.now(), flowId })
    await browser.storage.session.set({ [STORAGE_KEY]: opened })
  })
}
