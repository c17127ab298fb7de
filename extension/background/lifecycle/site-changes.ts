/**
 * Switches sites on and off. A site ends in the popup or in the browser's own settings, with the same
 * effect: its content scripts are unregistered, its calls in flight are aborted, its window is closed,
 * its grants are revoked.
 *
 * Border: `sites/sites.ts` stores the sites and registers their content scripts.
 */

import browser from 'webextension-polyfill'
import type { Site, SiteState } from '../../../shared/messages/screen-channel.ts'
import { endGrant } from '../grants/end-grant.ts'
import { listAllGrants } from '../grants/grants.ts'
import { listHostPermissions } from '../operators/host-permissions.ts'
import { listOperators } from '../operators/operators.ts'
import { abortCallsOfOrigin } from '../page/page-router.ts'
import { isInContainer } from '../platform/container.ts'
import { toHostPattern } from '../platform/host-pattern.ts'
import { recordLogEntry } from '../platform/log.ts'
import { sendDisconnect } from '../platform/page-events.ts'
import {
  addSite,
  getSiteOrigins,
  hasPermission,
  isAlwaysOn,
  isFitSite,
  isSiteOn,
  removeSite,
} from '../sites/sites.ts'
import { endAccess } from './end-access.ts'
import { endPermissionRequest, takeProposedSite } from './permission-request.ts'
import { removeUnneededPermissions } from './unneeded-permissions.ts'

async function readSiteState(origin: string, tabId?: number): Promise<SiteState> {
  if (tabId !== undefined && isInContainer(await browser.tabs.get(tabId))) return 'container'
  if (isAlwaysOn(origin)) return 'always'
  if ((await getSiteOrigins()).has(origin)) return 'on'
  return isFitSite(origin) ? 'off' : 'unfit'
}

/**
 * A site as the broker's own screens show it.
 *
 * @param tabId The tab in which the user has the site open.
 */
export async function describeSite(origin: string, tabId?: number): Promise<Site> {
  const operators = (await listOperators()).filter(({ applications = [] }) =>
    applications.some(({ origins }) => origins.includes(origin)),
  )
  const state = await readSiteState(origin, tabId)
  const permissions = state === 'unfit' ? [] : [origin].map(toHostPattern)
  return {
    origin,
    state,
    operators: operators.map(({ name }) => name),
    permissions: [...new Set([...permissions, ...operators.flatMap(listHostPermissions)])],
  }
}

export async function describeSites(): Promise<Site[]> {
  return Promise.all([...(await getSiteOrigins())].sort().map((origin) => describeSite(origin)))
}

/**
 * Switches a site on. The question ends after that: until then it is what needs the permission.
 *
 * @param tabId The tab in which the content scripts are run at once.
 */
export async function useSite(origin: string, tabId?: number): Promise<Site> {
  try {
    if (await addSite(origin, tabId)) recordLogEntry('site', 'on', { origin })
  } finally {
    await endPermissionRequest()
  }
  return describeSite(origin)
}

/**
 * Switches the proposed site on, if the user has answered the browser's question for it with yes.
 *
 * @param added Match patterns that the browser reports.
 */
export async function handlePermissionAdded(added: readonly string[]): Promise<void> {
  const proposal = await takeProposedSite(added)
  if (!proposal) return
  const { site, isAccepted } = proposal
  if (isAccepted) await useSite(site.origin, site.tabId)
  else await removeUnneededPermissions()
}

/**
 * Ends a site. What stops the page comes first; the requests to servers, which take time, come last.
 */
async function endSite(origin: string): Promise<void> {
  if (!(await removeSite(origin))) return
  recordLogEntry('site', 'off', { origin })
  abortCallsOfOrigin(origin)
  await endAccess((access) => access.origin === origin)
  await sendDisconnect(origin)
}

/** Switches a site off, as the user asked in one of the broker's screens. */
export async function stopSite(origin: string): Promise<Site> {
  await endSite(origin)
  await removeUnneededPermissions()
  return describeSite(origin)
}

/**
 * Ends the sites without a host permission. It runs when the browser reports a removal, and in each new
 * worker, since a permission may have been removed while no worker ran. A worker that was stopped while
 * it ended a site has left grants that no page can use: these end here too. No site and no grant waits for the
 * server of another.
 */
export async function handlePermissionRemoved(): Promise<void> {
  const endings = [...(await getSiteOrigins())].map(async (origin) => {
    if (!(await hasPermission(origin))) await endSite(origin)
  })
  await Promise.allSettled(endings)
  const leftovers = (await listAllGrants()).map(async (grant) => {
    if (!(await isSiteOn(grant.origin))) await endGrant(grant, 'user')
  })
  await Promise.allSettled(leftovers)
}
