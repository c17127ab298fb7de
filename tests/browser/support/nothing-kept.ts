/** Checks the end of a flow without a grant. */

import type { Page } from 'puppeteer-core'
import { expect } from 'vitest'
import type { Grant } from '../../../shared/messages/page-api.ts'
import { gone } from './pages.ts'
import { atRedirectHost, call, databaseText, openScreen, type Stage } from './stage.ts'

/** Expects no open window, no grant of the page, and no response at the host of the redirect URI. */
export async function expectNoGrant(stage: Stage, page: Page): Promise<void> {
  await gone(stage.browser, stage.network.issuer)
  expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
  expect(atRedirectHost(stage).filter((url) => url.includes('state='))).toEqual([])
}

/** Expects the same, and neither a flow nor a token in the broker's databases. */
export async function expectNothingKept(stage: Stage, page: Page): Promise<void> {
  await expectNoGrant(stage, page)
  const screen = await openScreen(stage)
  const { flows, tokens = [] } = await databaseText(screen)
  expect([flows, tokens]).toEqual([[], []])
}
