/**
 * Removes the host permissions that nothing needs any more: no site that is switched on, no operator, no
 * revocation that is still to be sent, no open question of a screen. It runs after each change that may end
 * a need (a site is switched off, an operator is removed or not added, a question ends, the policy changes),
 * and with the housekeeping.
 *
 * Border: a pattern with a wildcard was given in the browser's own settings; it stays. The patterns of the
 * manifest stay too, and so do those that an administrator gave, which the browser does not remove.
 */

import browser from 'webextension-polyfill'
import { listRevocationPermissions } from '../grants/revocations.ts'
import { listHostPermissions } from '../operators/host-permissions.ts'
import { listReadableOperators } from '../operators/operators.ts'
import { toHostPattern } from '../platform/host-pattern.ts'
import { getSiteOrigins } from '../sites/sites.ts'
import { listRequestedPermissions } from './permission-request.ts'

/** A pattern for one host, as the broker itself asks for it. */
const SINGLE_HOST = /^https?:\/\/[^*/]+\/\*$/

/** Selects the patterns for a single host that are not needed. Pure. */
export function selectUnneeded(given: readonly string[], needed: Iterable<string>): string[] {
  const kept = new Set(needed)
  return given.filter((pattern) => SINGLE_HOST.test(pattern) && !kept.has(pattern))
}

/**
 * Lists what is needed. A need moves from a question to the site or the operator, and from the operator to its
 * revocations; the sources are read in this order, so that a need that moves meanwhile is not missed.
 *
 * @throws Error if a source cannot be read for the moment: no permission is removed then.
 */
async function listNeeded(): Promise<string[]> {
  const { host_permissions: ofManifest = [] } = browser.runtime.getManifest()
  const requested = await listRequestedPermissions()
  const [operators, sites] = await Promise.all([listReadableOperators(), getSiteOrigins()])
  const revocations = await listRevocationPermissions()
  return [
    ...ofManifest,
    ...operators.flatMap(listHostPermissions),
    ...[...sites].map(toHostPattern),
    ...revocations,
    ...requested,
  ]
}

/** @returns The patterns that were removed. */
export async function removeUnneededPermissions(): Promise<string[]> {
  const removed = []
  try {
    const { origins: given = [] } = await browser.permissions.getAll()
    for (const pattern of selectUnneeded(given, await listNeeded())) {
      // Pattern by pattern, since the browser removes all of a list or none.
      const isRemoved = await browser.permissions.remove({ origins: [pattern] }).catch(() => false)
      if (isRemoved) removed.push(pattern)
    }
  } catch (error) {
    console.warn('permissions: not checked', error instanceof Error ? error.name : '')
  }
  return removed
}
