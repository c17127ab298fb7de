/**
 * Requests the metadata of an operator ahead of the first sign-in at an application, so that the click need not wait
 * for them. Such a request tells the operator that somebody uses one of its applications. So it is made only where
 * the application would tell the same by its first click, and no operator learns of visits to a site:
 *
 * - The page has asked for its grants, and has none.
 * - Exactly one operator has the application in its profile, and waives the consent of the user for it. Where the
 *   user is asked, the operator hears of the application after the user has allowed it.
 * - Once for each origin in a browser session: later visits are not visible.
 *
 * The request names no site and carries no cookie.
 *
 * @see decision 0037
 */

import browser from 'webextension-polyfill'
import type { OperatorProfile } from '../../../shared/messages/operator-profile.ts'
import { isWaiverWithdrawn } from '../grants/withdrawn-waivers.ts'
import { discoverAhead } from '../operators/operator-discovery.ts'
import { findApplication, listOperators } from '../operators/operators.ts'
import { createSerialQueue } from '../platform/serial-queue.ts'

const STORAGE_KEY = 'metadataAhead'

/**
 * Finds the only operator that knows the origin, if it waives the consent for an application there. Pure.
 */
export function findOnlyOperator(
  operators: readonly OperatorProfile[],
  origin: string,
): OperatorProfile | undefined {
  const [known, ...others] = operators.filter((operator) =>
    findApplication(operator, origin, undefined),
  )
  if (!known || others.length > 0) return undefined
  const { requireConsent = true, consentWaiver } = findApplication(known, origin, undefined) ?? {}
  return !requireConsent && consentWaiver ? known : undefined
}

const runInQueue = createSerialQueue()

/** Marks an origin. @returns `false` if it was marked before in this browser session. */
function markOrigin(origin: string): Promise<boolean> {
  return runInQueue(async () => {
    const items = await browser.storage.session.get(STORAGE_KEY)
    const marked = (items[STORAGE_KEY] as string[] | undefined) ?? []
    if (marked.includes(origin)) return false
    await browser.storage.session.set({ [STORAGE_KEY]: [...marked, origin] })
    return true
  })
}

/** Prepares the first sign-in at an origin that has no grant. */
export async function discoverBeforeSignIn(origin: string): Promise<void> {
  const operator = findOnlyOperator(await listOperators(), origin)
  if (!operator || (await isWaiverWithdrawn(operator.issuer, origin))) return
  if (await markOrigin(origin)) await discoverAhead(operator)
}
