/**
 * What a site's beginning and its end bring about. Whoever ends a site, the popup or the browser's own
 * settings: its calls are aborted, its window is closed, its grants are revoked, its scripts go.
 */

import browser from 'webextension-polyfill'
import type { Site, SiteState } from '../../../shared/messages/screen-channel.ts'
import { SITE_PROPOSAL_LIFETIME_MS } from '../../limits.ts'
import { cancelFlow, findPendingFlow } from '../authorization/authorization-flow.ts'
import { endGrant } from '../grants/end-grant.ts'
import { listAllGrants, listGrants } from '../grants/grants.ts'
import { listHostPermissions, toHostPattern } from '../operators/host-permissions.ts'
import { listOperators } from '../operators/operators.ts'
import { abortCallsOfOrigin } from '../page/page-router.ts'
import { recordLogEntry } from '../platform/log.ts'
import { sendDisconnect } from '../platform/page-events.ts'
import { isSecureOrigin } from '../platform/secure-origin.ts'
import {
  addSite,
  getSiteOrigins,
  hasPermission,
  isAlwaysOn,
  isSiteOn,
  removeSite,
} from '../sites/sites.ts'

const PROPOSAL = 'proposedSite'

interface Proposal {
  origin: string
  tabId?: number
  at: number
}

async function readSiteState(origin: string): Promise<SiteState> {
  if (isAlwaysOn(origin)) return 'always'
  if ((await getSiteOrigins()).has(origin)) return 'on'
  return isSecureOrigin(origin, false) ? 'off' : 'unfit'
}

/** A site as the broker's own screens show it. */
export async function describeSite(origin: string): Promise<Site> {
  const operators = (await listOperators()).filter(({ applications = [] }) =>
    applications.some(({ origins }) => origins.includes(origin)),
  )
  const state = await readSiteState(origin)
  const permissions = state === 'unfit' ? [] : [origin].map(toHostPattern)
  return {
    origin,
    state,
    operators: operators.map(({ name }) => name),
    permissions: [...new Set([...permissions, ...operators.flatMap(listHostPermissions)])],
  }
}

export async function describeSites(): Promise<Site[]> {
  return Promise.all([...(await getSiteOrigins())].sort().map(describeSite))
}

/** Remembered outside the popup, which some browsers close when they ask for the permission. */
export async function proposeSite(origin: string, tabId?: number): Promise<void> {
  const proposal: Proposal = { origin, at: Date.now(), ...(tabId !== undefined && { tabId }) }
  await browser.storage.session.set({ [PROPOSAL]: proposal })
}

export async function useSite(origin: string, tabId?: number): Promise<Site> {
  await browser.storage.session.remove(PROPOSAL)
  if (await addSite(origin, tabId)) recordLogEntry('site', 'on', { origin })
  return describeSite(origin)
}

/** The user said yes to the browser: what was proposed becomes true, if this was it. */
export async function handlePermissionAdded(): Promise<void> {
  const proposal = (await browser.storage.session.get(PROPOSAL))[PROPOSAL] as Proposal | undefined
  if (!proposal || Date.now() - proposal.at > SITE_PROPOSAL_LIFETIME_MS) return
  if (await hasPermission(proposal.origin)) await useSite(proposal.origin, proposal.tabId)
}

/** First what stops the page, then what takes a server's time. */
async function endSite(origin: string): Promise<void> {
  if (!(await removeSite(origin))) return
  recordLogEntry('site', 'off', { origin })
  abortCallsOfOrigin(origin)
  const flow = await findPendingFlow(origin)
  if (flow) await cancelFlow(flow.flowId)
  const grants = await listGrants(origin)
  await Promise.allSettled(grants.map((grant) => endGrant(grant, 'user')))
  await sendDisconnect(origin)
}

/** Hosts that an operator or another site needs stay. */
async function removeUnneededPermission(origin: string): Promise<void> {
  const pattern = toHostPattern(origin)
  const needed = [
    ...[...(await getSiteOrigins())].map(toHostPattern),
    ...(await listOperators()).flatMap(listHostPermissions),
  ]
  if (needed.includes(pattern)) return
  // What an administrator gave, the browser keeps; the site is off all the same.
  await browser.permissions.remove({ origins: [pattern] }).catch(() => {})
}

/** The user takes a site back in one of the broker's screens. */
export async function stopSite(origin: string): Promise<Site> {
  await endSite(origin)
  await removeUnneededPermission(origin)
  return describeSite(origin)
}

/**
 * The browser says that permissions went, or they may have gone while nobody listened. A worker that
 * died in the middle of a site's end has left grants that no page can use: they end here.
 */
export async function handlePermissionRemoved(): Promise<void> {
  for (const origin of await getSiteOrigins()) {
    if (!(await hasPermission(origin))) await endSite(origin)
  }
  for (const grant of await listAllGrants()) {
    if (!(await isSiteOn(grant.origin))) await endGrant(grant, 'user')
  }
}
