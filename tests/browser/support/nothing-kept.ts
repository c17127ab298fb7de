/** The end of a flow without a grant. */

import type { Page } from 'puppeteer-core'
import { expect } from 'vitest'
import type { Grant } from '../../../shared/messages/page-api.ts'
import { gone } from './pages.ts'
import { atRedirectHost, call, databaseText, openScreen, type Stage } from './stage.ts'

/** No window stays open, the page has no grant, and no request has reached the host of the redirect URI. */
export async function expectNoGrant(stage: Stage, page: Page): Promise<void> {
  await gone(stage.browser, stage.network.issuer)
  expect((await call<Grant[]>(page, 'northbound_getGrants')).result).toEqual([])
  expect(atRedirectHost(stage)).toEqual([])
}

/** Besides, the broker's databases have neither a flow nor a token. */
export async function expectNothingKept(stage: Stage, page: Page): Promise<void> {
  await expectNoGrant(stage, page)
  const screen = await openScreen(stage)
  const { flows, tokens = [] } = await databaseText(screen)
  expect([flows, tokens]).toEqual([[], []])
}
