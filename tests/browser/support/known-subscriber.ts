/**
 * Flows without a window that waits for anybody: the broker's own consent is left to the operator, the
 * subscriber is signed in, and the operator remembers what was authorized. What is left is the
 * protocol, as fast as it goes.
 */

import type { Page } from 'puppeteer-core'
import type { FaultRule } from '../../../demo-site/network/index.ts'
import type { BrowserName } from '../../../scripts/browsers.ts'
import type { Grant } from '../../../shared/messages/page-api.ts'
import { changeMetadata } from './faults.ts'
import { type Called, call, type Stage, signIn, startStage } from './stage.ts'

type Options = Parameters<typeof startStage>[1]

/** A stage whose subscriber has signed in and authorized the application once. */
export async function startQuietStage(
  name: BrowserName,
  options: Options = {},
): Promise<{ stage: Stage; page: Page }> {
  const stage = await startStage(name, { requireConsent: false, ...options })
  await withoutRevocation(stage)
  const page = await stage.open()
  const first = call<Grant>(page, 'northbound_connect', stage.wish())
  await signIn(stage)
  const { error } = await first
  if (error) throw new Error(`the first flow failed: ${error.message}`)
  await call(page, 'northbound_revoke')
  stage.network.log.clear()
  return { stage, page }
}

/** A revoked grant would be asked for again; without the endpoint the operator never hears of it. */
export function withoutRevocation({ network }: Pick<Stage, 'network'>): Promise<void> {
  return changeMetadata(network, (metadata) => {
    delete metadata.revocation_endpoint
  })
}

/**
 * Each request on a connection of its own: browsers repeat a request, a POST too, where a connection
 * breaks that served before, and that is not the broker's doing.
 */
export function freshConnections({ network }: Pick<Stage, 'network'>): void {
  network.faults.add({ action: { type: 'header', headers: { connection: 'close' } } })
}

/** The oldest fault is asked first, so those that keep the stage quiet stand aside. */
export async function during<T>(
  { network: { faults, log } }: Stage,
  rule: FaultRule,
  run: () => Promise<T>,
): Promise<T> {
  log.clear()
  const quiet = faults.active.map((each) => each.rule)
  faults.clear()
  for (const each of [rule, ...quiet]) faults.add(each)
  try {
    return await run()
  } finally {
    faults.clear()
    for (const each of quiet) faults.add(each)
  }
}

/** A flow from the page's call to the grant, which is then forgotten. */
export async function quietFlow(stage: Stage, page: Page): Promise<Called<Grant>> {
  await gesture(page)
  const outcome = await call<Grant>(page, 'northbound_connect', stage.wish())
  if (outcome.result) await call(page, 'northbound_revoke')
  return outcome
}

/** The user looks at the page and clicks in it. */
export async function gesture(page: Page): Promise<void> {
  await page.bringToFront()
  await page.waitForFunction(() => document.visibilityState === 'visible')
  await page.click('button')
}
