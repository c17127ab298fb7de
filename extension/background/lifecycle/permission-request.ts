/**
 * Stores the browser's question for host permissions that a screen has asked, until it is answered. Some
 * browsers close the popup when they ask, so the popup cannot switch a site on by itself: the background
 * does it, once the browser has reported the permission.
 *
 * A question ends with its answer, with the next question, or after a while. So a site that the user
 * declined is not switched on by a permission that is given later for another reason.
 */

import browser from 'webextension-polyfill'
import { PERMISSION_REQUEST_LIFETIME_MS } from '../../limits.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'

/** The site that is switched on if the answer is yes. */
export interface ProposedSite {
  origin: string
  /** The tab in which the content scripts are run at once. */
  tabId?: number
}

export interface PermissionRequest {
  /** Match patterns of the question. */
  permissions: string[]
  /** Those of them that the extension did not have before. */
  missing: string[]
  site?: ProposedSite
  at: number
}

const STORAGE_KEY = 'permissionRequest'

/** Serializes the changes: a question is stored before its answer is handled. */
const changeQueue = createSerialQueue()

async function readRequest(): Promise<PermissionRequest | undefined> {
  return (await browser.storage.session.get(STORAGE_KEY))[STORAGE_KEY] as
    | PermissionRequest
    | undefined
}

async function listMissing(permissions: readonly string[]): Promise<string[]> {
  const missing = []
  for (const pattern of permissions) {
    if (!(await browser.permissions.contains({ origins: [pattern] }))) missing.push(pattern)
  }
  return missing
}

/** Stores a question, which ends the question before it. */
export const openPermissionRequest = (permissions: string[], site?: ProposedSite): Promise<void> =>
  changeQueue(async () => {
    const missing = await listMissing(permissions)
    const request: PermissionRequest = {
      permissions,
      missing,
      at: Date.now(),
      ...(site && { site }),
    }
    await browser.storage.session.set({ [STORAGE_KEY]: request })
  })

/** Ends the question: it was answered, or its screen is done with it. */
export const endPermissionRequest = (): Promise<void> =>
  changeQueue(() => browser.storage.session.remove(STORAGE_KEY))

const isOpen = ({ at }: PermissionRequest, nowMs: number) =>
  Math.abs(nowMs - at) <= PERMISSION_REQUEST_LIFETIME_MS

/** Match patterns that an open question is about. */
export async function listRequestedPermissions(): Promise<string[]> {
  const request = await changeQueue(readRequest)
  return request && isOpen(request, Date.now()) ? request.permissions : []
}

/**
 * Decides whether a permission that the browser reports is the answer yes to a question: it has each
 * pattern that was missing, and none that was not asked for. Pure.
 */
export function isAnswer(
  { permissions, missing }: PermissionRequest,
  added: readonly string[],
): boolean {
  return (
    missing.length > 0 &&
    missing.every((pattern) => added.includes(pattern)) &&
    added.every((pattern) => permissions.includes(pattern))
  )
}

/**
 * Judges the question for a site, since the browser has reported a permission. A question that was not answered with
 * yes ends. After a yes the site is switched on, and then ends the question.
 *
 * @param added Match patterns that the browser reports.
 * @returns The site, and whether the permission is a timely answer to the question; `undefined` where no
 * site was proposed.
 */
export const takeProposedSite = (
  added: readonly string[],
): Promise<{ site: ProposedSite; isAccepted: boolean } | undefined> =>
  changeQueue(async () => {
    const request = await readRequest()
    if (!request?.site) return undefined
    const isAccepted = isOpen(request, Date.now()) && isAnswer(request, added)
    if (!isAccepted) await browser.storage.session.remove(STORAGE_KEY)
    return { site: request.site, isAccepted }
  })
